"""What the web, forms and contents tell about a lead. Rooms: tracking, content, forms."""
