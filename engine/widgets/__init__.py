"""Widgets: buttons, text fields, sliders and lists, by pointer, keys and gamepad. Drawn on any canvas."""

from engine.widgets.button import Button
from engine.widgets.choice import Choice
from engine.widgets.clipboard import Clipboard
from engine.widgets.editing import Line
from engine.widgets.errors import WidgetError
from engine.widgets.events import Cancelled, Changed, Pressed, Submitted
from engine.widgets.field import TextField
from engine.widgets.keybutton import KeyButton
from engine.widgets.label import Label, Picture
from engine.widgets.layout import Column, Container, Grid, Row, Scroll, Space
from engine.widgets.listbox import ListBox
from engine.widgets.panel import Panel
from engine.widgets.plugin import widgets
from engine.widgets.slider import Slider
from engine.widgets.theme import NEON, Theme
from engine.widgets.toggle import Toggle
from engine.widgets.ui import Ui
from engine.widgets.widget import Anchor, Direction, Widget

__all__ = [
    "NEON",
    "Anchor",
    "Button",
    "Cancelled",
    "Changed",
    "Choice",
    "Clipboard",
    "Column",
    "Container",
    "Direction",
    "Grid",
    "KeyButton",
    "Label",
    "Line",
    "ListBox",
    "Panel",
    "Picture",
    "Pressed",
    "Row",
    "Scroll",
    "Slider",
    "Space",
    "Submitted",
    "TextField",
    "Theme",
    "Toggle",
    "Ui",
    "Widget",
    "WidgetError",
    "widgets",
]
