"""The operators' answers."""

from admin.entrypoints.shapes.audit import AuditPage, Cleanup
from admin.entrypoints.shapes.health import SystemHealth

__all__ = ["AuditPage", "Cleanup", "SystemHealth"]
