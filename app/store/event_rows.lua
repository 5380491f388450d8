-- Events of an app, added once each. In front of rows.lua; see app/store/event_rows.py.

local function add_event(event, scope, limits)
end
