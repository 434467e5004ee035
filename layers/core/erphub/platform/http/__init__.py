"""Requests of API Gateway: routes, checks, answers."""
