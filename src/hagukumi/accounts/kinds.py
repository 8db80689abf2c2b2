"""How members and tokens are called where something points to them."""

from hagukumi.ledger.objects import Object

OBJECTS = (Object("staff"), Object("api_token"))
