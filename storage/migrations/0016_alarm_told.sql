-- Who was told of the alarms that stand; the rules' own. The row goes when the alarm's end has been told.
CREATE TABLE alarm_told (
    alarm_id    text NOT NULL,
    sink        text NOT NULL,
    told_at     timestamptz NOT NULL,
    PRIMARY KEY (alarm_id, sink)
);
