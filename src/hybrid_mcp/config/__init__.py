"""Files, environment and flags as frozen values. The only part that knows where settings come from.

settings -> environment, ollama_host, profile_lookup -> profile_file -> model_lists, provider_rows -> fields, endpoint
settings, environment -> project; settings -> confidence_file -> text_file
whitelist_edit -> whitelist_access; whitelist_edit, endpoint -> whitelist_file -> text_file, packaged, public_suffix
"""

from __future__ import annotations

from hybrid_mcp.config.home import ensure_home
from hybrid_mcp.config.packaged import packaged
from hybrid_mcp.config.profile_file import LoadedProfile, read_profile
from hybrid_mcp.config.profile_lookup import ProfileEntry, check_profile, find_profile, list_profiles
from hybrid_mcp.config.settings import Settings, load_settings
from hybrid_mcp.config.whitelist_access import whitelist_notices
from hybrid_mcp.config.whitelist_edit import add_entry
from hybrid_mcp.config.whitelist_file import LiveWhitelist, load_whitelist

__all__ = [
    "LiveWhitelist", "LoadedProfile", "ProfileEntry", "Settings", "add_entry", "check_profile", "ensure_home",
    "find_profile", "list_profiles", "load_settings", "load_whitelist", "packaged", "read_profile", "whitelist_notices",
]  # fmt: skip
