"""How a broadcast is called: by its mail."""

from hagukumi.ledger.objects import Object

OBJECTS = (Object("broadcast", "m.name", key="b.id", source="broadcast b JOIN message m ON m.id = b.message_id"),)
