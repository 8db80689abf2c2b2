class _Pass:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


class ContentSecurityMiddleware(_Pass): ...
class LanguageMiddleware(_Pass): ...
class SignedInMiddleware(_Pass): ...
class ClockMiddleware(_Pass):
    def __call__(self, request):
        from hagukumi.kit import clock
        request.now = clock.now()
        return self.get_response(request)
