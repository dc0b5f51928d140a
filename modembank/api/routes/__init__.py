"""The API's routes, one small file per resource."""
