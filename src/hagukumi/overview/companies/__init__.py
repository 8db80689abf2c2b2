"""The company list and one company's page. A read model; writes nothing."""
