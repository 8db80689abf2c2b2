"""The lead list: filters, pages, cards, export. A read model of the whole product; writes nothing."""
