"""`hagukumi admin` and `hagukumi password`: the way back in where nobody can sign in any more."""

import secrets

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import translation

from hagukumi.accounts import second_step, services
from hagukumi.accounts.models import User
from hagukumi.embedded.errors import StartError
from hagukumi.kit import clock


def give(email: str, password: str = "", *, admin: bool, name: str = "") -> str:
    """Let `email` sign in with `password` ('' = one is made) and return it.

    With `admin`: as an active administrator, made where nobody has this address. StartError says what is in the way.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise StartError(f"メールアドレスの形ではありません: {email}", f"not a mail address: {email}") from None
    if password:
        _check(password)
    password = password or secrets.token_urlsafe(12)
    try:
        services.let_in(email, password, admin=admin, name=name or email.partition("@")[0], now=clock.now())
    except services.NobodyError:
        raise StartError(f"このアドレスのメンバーはいません: {email}", f"no member has this address: {email}") from None
    if admin:  # a lost phone must not keep out whoever owns the machine
        second_step.reset(User.objects.get(email=email), clock.now())
    return password


def _check(password: str) -> None:
    said = []
    for language in ("ja", "en"):
        with translation.override(language):
            try:
                password_validation.validate_password(password)
            except ValidationError as error:
                said.append(" ".join(error.messages))
    if said:
        raise StartError(*said)
