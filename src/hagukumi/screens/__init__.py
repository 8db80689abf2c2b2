"""The screens: one module and one template folder a room. No models, no SQL; every view wears `access` or `public`."""
