"""ホーム: each role lands on the screen that shows its work of today."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from .access import EVERYONE, access


@access(EVERYONE)
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home/home.html")


urlpatterns = [path("", home, name="home")]
