from ninja import NinjaAPI

api = NinjaAPI(title="Hagukumi", version="1")
