"""What the homes show. A read model; writes nothing."""
