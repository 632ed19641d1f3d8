"""The request and response types of the Delivery API, and the envelope that an answer comes in."""
