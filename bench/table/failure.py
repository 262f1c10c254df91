"""The one error of the benchmark: a cause, and where there is one, what to do about it."""


class Failure(Exception):
    """Something that was needed did not work; the text is for whoever runs the benchmark."""
