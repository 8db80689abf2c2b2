"""What an address leads to, or the page that says that there is nothing."""

from typing import TypeVar

from django.http import Http404

Thing = TypeVar("Thing")


def or_404(thing: Thing | None) -> Thing:
    """The thing itself; a 404 where there is none."""
    if thing is None:
        raise Http404
    return thing
