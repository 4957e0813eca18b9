-- The observations, one table a kind, as `lamplighter migrate --draft` writes them.
-- How they are cut by time is the business of storage.lifecycle.

-- drain_level: What a water level sensor in a drain reports.
CREATE TABLE drain_level (
    observed_at timestamp with time zone NOT NULL,
    asset_id integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    time_from_receipt boolean NOT NULL DEFAULT false,
    seq bigint,
    level_m double precision NOT NULL,
    distance_m double precision,
    flow_l_s double precision,
    rain_mm_h double precision,
    temp_c double precision,
    battery_pct double precision,
    PRIMARY KEY (asset_id, observed_at),
    CONSTRAINT drain_level_level_m_range CHECK (level_m >= -1 AND level_m <= 30),
    CONSTRAINT drain_level_distance_m_range CHECK (distance_m >= 0 AND distance_m <= 30),
    CONSTRAINT drain_level_flow_l_s_range CHECK (flow_l_s >= 0 AND flow_l_s <= 100000),
    CONSTRAINT drain_level_rain_mm_h_range CHECK (rain_mm_h >= 0 AND rain_mm_h <= 500),
    CONSTRAINT drain_level_temp_c_range CHECK (temp_c >= -50 AND temp_c <= 150),
    CONSTRAINT drain_level_battery_pct_range CHECK (battery_pct >= 0 AND battery_pct <= 100)
);

-- parking_bay: What a parking bay's sensor reports.
CREATE TABLE parking_bay (
    observed_at timestamp with time zone NOT NULL,
    asset_id integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    time_from_receipt boolean NOT NULL DEFAULT false,
    seq bigint,
    occupied boolean NOT NULL,
    confidence_pct double precision,
    temp_c double precision,
    battery_pct double precision,
    PRIMARY KEY (asset_id, observed_at),
    CONSTRAINT parking_bay_confidence_pct_range CHECK (confidence_pct >= 0 AND confidence_pct <= 100),
    CONSTRAINT parking_bay_temp_c_range CHECK (temp_c >= -50 AND temp_c <= 150),
    CONSTRAINT parking_bay_battery_pct_range CHECK (battery_pct >= 0 AND battery_pct <= 100)
);

-- streetlight: What a street light's controller reports.
CREATE TABLE streetlight (
    observed_at timestamp with time zone NOT NULL,
    asset_id integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    time_from_receipt boolean NOT NULL DEFAULT false,
    seq bigint,
    level_pct double precision NOT NULL,
    setpoint_pct double precision,
    power_w double precision,
    energy_kwh double precision,
    voltage_v double precision,
    lux double precision,
    motion integer,
    temp_c double precision,
    lamp_fault boolean,
    PRIMARY KEY (asset_id, observed_at),
    CONSTRAINT streetlight_level_pct_range CHECK (level_pct >= 0 AND level_pct <= 100),
    CONSTRAINT streetlight_setpoint_pct_range CHECK (setpoint_pct >= 0 AND setpoint_pct <= 100),
    CONSTRAINT streetlight_power_w_range CHECK (power_w >= 0 AND power_w <= 2000),
    CONSTRAINT streetlight_energy_kwh_range CHECK (energy_kwh >= 0 AND energy_kwh <= 1000000000000),
    CONSTRAINT streetlight_voltage_v_range CHECK (voltage_v >= 0 AND voltage_v <= 480),
    CONSTRAINT streetlight_lux_range CHECK (lux >= 0 AND lux <= 200000),
    CONSTRAINT streetlight_motion_range CHECK (motion >= 0 AND motion <= 65535),
    CONSTRAINT streetlight_temp_c_range CHECK (temp_c >= -50 AND temp_c <= 150)
);
