"""Read models of the whole product: they read any room's tables and write none."""
