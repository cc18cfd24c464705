import os

from engine.desktop.quiet import quiet


def test_what_c_libraries_print_goes_nowhere_and_the_error_output_comes_back(capfd):
    with quiet():
        os.write(2, b"noise from a system library\n")
    os.write(2, b"a message of ours\n")
    assert capfd.readouterr().err == "a message of ours\n"


def test_an_exception_passes_and_the_error_output_comes_back(capfd):
    try:
        with quiet():
            raise RuntimeError("no device")
    except RuntimeError:
        os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
