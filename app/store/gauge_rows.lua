-- What was measured of dynos and add-ons, and the states of dynos. In front of rows.lua; see
-- app/store/gauge_rows.py.

local function add_gauge(gauge, scope, limits)
end
