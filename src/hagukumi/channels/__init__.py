"""How a lead is reached: the outbox is any channel's, mail is the first channel, broadcasts send to many at once."""
