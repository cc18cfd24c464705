"""Tag, for as many as come: `tickwire serve games.tag`, then `tickwire join INVITE --game games.tag`."""

from dataclasses import dataclass

from engine import Commanded, Game, Plugin, Transform
from engine.ecs import I32, Component, Flag, World, flag, i32
from engine.graphics import DrawWorld, graphics
from engine.input import Controls, Key, axis2, input_plugin
from engine.net import Axis, Came, Me, Multiplayer, Protocol
from engine.physics import Body, Circle, Collider, ContactBegan, Velocity, physics


class Runner(Component):
    player: I32 = i32()
    it: Flag = flag()


@dataclass(slots=True)
class Run:
    x: Axis
    y: Axis


class Keys(Controls):
    run = axis2(keys=(Key.A, Key.D, Key.W, Key.S))


rules, view = Plugin("tag", needs=[physics]), Plugin("tag.view", needs=[graphics, input_plugin(Keys)])
view.commands()(lambda world: [Commanded(world.resource(Me).player, Run(*world.resource(Keys).run.value))])


@rules.on(Came)
def enter(world: World, came: Came) -> None:
    runner = Runner(came.player, it=world.count(Runner) == 0)
    world.spawn(runner, Transform(80.0 * came.player), Velocity(), Body(mass=1.0), Collider(Circle(24.0)))


@rules.on(Commanded[Run])
def run(world: World, wanted: Commanded[Run]) -> None:
    for runner, velocity in world.rows(Runner, Velocity):
        if runner.player == wanted.player:
            velocity.vx, velocity.vy = velocity.vx + 15 * wanted.command.x, velocity.vy + 15 * wanted.command.y


@rules.on(ContactBegan[Runner, Runner])
def tag(world: World, contact: ContactBegan[Runner, Runner]) -> None:
    contact.a[Runner].it, contact.b[Runner].it = contact.b[Runner].it, contact.a[Runner].it


@view.on(DrawWorld)
def draw(world: World, drawing: DrawWorld) -> None:
    for at, runner in world.rows(Transform, Runner):
        drawing.canvas.circle(at.x, at.y, 24.0, fill=0xFF5060FF if runner.it else 0x40C0FFFF)


protocol = Protocol("tag").component(Runner).owner(Runner.player).component(Body, constant=True).command(Run)
protocol.component(Transform, {Transform.x: 1 / 16, Transform.y: 1 / 16}, without=(Transform.angle,)).predict(Runner)
protocol.component(Velocity, dict.fromkeys((Velocity.vx, Velocity.vy), 1 / 8), without=(Velocity.angular,))
protocol.component(Collider, constant=True).interpolate(Transform)
GAME = Game("tag", "Tag", 1, lambda _: [rules], view=lambda _: [view], multiplayer=Multiplayer(protocol))
