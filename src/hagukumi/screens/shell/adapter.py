from allauth.account.adapter import DefaultAccountAdapter


class ClosedAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: an administrator invites."""

    def is_open_for_signup(self, request):
        return False
