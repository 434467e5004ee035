"""Checks what would be deployed against AWS's published limits and shapes, before AWS refuses it; never shipped.

The local AWS accepts much that AWS does not. Each rule is a function of the `Stack` in one of the modules here and
answers with sentences, none when all is well; `limits` names where each figure is published.
"""
