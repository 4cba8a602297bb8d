-- One schema text for both stores. {id} is the type of an id that is the table's key, {blob} of octets,
-- {bigint} of 64-bit numbers, {then_id} ends an index whose rows are wanted by id (in SQLite every index ends so). Ids are made by the application and grow with time, so inserts append.
-- Times are integer microseconds UTC; JSON is TEXT.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE content (
    id {id} PRIMARY KEY,
    content_type TEXT NOT NULL,
    boxes {bigint},
    body {blob},
    object {blob},
    size {bigint} NOT NULL,
    parts TEXT NOT NULL
);
-- `boxes` counts the entries of MMBoxes that show it; NULL: none ever did. Retention takes no content with any.
CREATE INDEX content_unboxed ON content (id) WHERE boxes = 0;

-- A body in object storage: how many rows of content refer to it, and when (real time) that number last changed.
CREATE TABLE object (
    digest {blob} PRIMARY KEY,
    name TEXT NOT NULL,
    size {bigint} NOT NULL,
    refs {bigint} NOT NULL,
    touched_at {bigint} NOT NULL
);
CREATE INDEX object_unused ON object (touched_at) WHERE refs = 0;

CREATE TABLE mm (
    id {id} PRIMARY KEY,
    origin TEXT NOT NULL,
    neighbour TEXT NOT NULL,
    sender TEXT NOT NULL,
    repeat_key {blob},
    foreign_id TEXT,
    content_id {bigint} NOT NULL,
    submitted_at {bigint} NOT NULL,
    deliver_at {bigint},
    expires_at {bigint} NOT NULL,
    priority {bigint} NOT NULL,
    details TEXT NOT NULL,
    answer TEXT,
    request TEXT,
    run TEXT
);
CREATE UNIQUE INDEX mm_repeat ON mm (repeat_key);
CREATE INDEX mm_foreign ON mm (foreign_id) WHERE foreign_id IS NOT NULL;
-- For people who look: `request` is the originator's own identifier of its request, `run` the tag of a test run.
CREATE INDEX mm_sender ON mm (sender{then_id});
CREATE INDEX mm_request ON mm (request{then_id}) WHERE request IS NOT NULL;
CREATE INDEX mm_run ON mm (run{then_id}) WHERE run IS NOT NULL;

CREATE TABLE recipient (
    id {id} PRIMARY KEY,
    mm_id {bigint} NOT NULL,
    address TEXT NOT NULL,
    role TEXT NOT NULL,
    route TEXT NOT NULL,
    target TEXT NOT NULL,
    state TEXT NOT NULL,
    state_at {bigint} NOT NULL,
    transaction_id TEXT,
    token TEXT,
    link_token TEXT,
    fetched_at {bigint},
    pushes {bigint} NOT NULL,
    cause TEXT,
    replied_at {bigint}
);
CREATE INDEX recipient_mm ON recipient (mm_id);
CREATE INDEX recipient_address ON recipient (address, mm_id);
CREATE UNIQUE INDEX recipient_token ON recipient (token) WHERE token IS NOT NULL;
CREATE UNIQUE INDEX recipient_transaction ON recipient (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE UNIQUE INDEX recipient_link ON recipient (link_token) WHERE link_token IS NOT NULL;

CREATE TABLE task (
    id {id} PRIMARY KEY,
    mm_id {bigint},
    recipient_id {bigint},
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at {bigint} NOT NULL,
    priority {bigint} NOT NULL CHECK (priority BETWEEN 0 AND 2),
    attempt {bigint} NOT NULL,
    node TEXT,
    start_no {bigint},
    lease_until {bigint},
    payload TEXT
);
CREATE INDEX task_ready ON task (lane, priority, owner, due_at) WHERE state = 'ready';
CREATE INDEX task_leased ON task (lane, lease_until) WHERE state = 'leased';
CREATE INDEX task_recipient ON task (recipient_id) WHERE recipient_id IS NOT NULL;
CREATE INDEX task_mm ON task (mm_id) WHERE recipient_id IS NULL;

CREATE TABLE event (
    id {id} PRIMARY KEY,
    mm_id {bigint},
    recipient_id {bigint},
    task_id {bigint},
    at_service {bigint} NOT NULL,
    at_real {bigint} NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX event_mm ON event (mm_id) WHERE mm_id IS NOT NULL;
CREATE INDEX event_finding ON event (id) WHERE kind = 'finding.noted';
CREATE INDEX event_refused ON event (id) WHERE kind = 'submission.refused';
CREATE INDEX event_mm_finding ON event (mm_id) WHERE kind = 'finding.noted' AND mm_id IS NOT NULL;
CREATE INDEX event_mm_fault ON event (mm_id) WHERE kind = 'fault.hit' AND mm_id IS NOT NULL;

CREATE TABLE sms (
    lane TEXT NOT NULL,
    smpp_message_id TEXT NOT NULL,
    mm_id {bigint} NOT NULL,
    recipient_id {bigint} NOT NULL,
    purpose TEXT NOT NULL,
    sent_at {bigint} NOT NULL,
    PRIMARY KEY (lane, smpp_message_id)
);
CREATE INDEX sms_recipient ON sms (recipient_id);

-- What subscribers keep in the network: `source` is what an entry was made of, so that it is made once. `number` counts
-- an owner's entries on: of two that are made at once one takes it, and the other looks at the quota again.
CREATE TABLE mmbox (
    id {id} PRIMARY KEY,
    owner TEXT NOT NULL,
    number {bigint} NOT NULL,
    size {bigint} NOT NULL,
    state TEXT NOT NULL,
    token TEXT NOT NULL,
    source TEXT NOT NULL,
    content_id {bigint} NOT NULL,
    stored_at {bigint} NOT NULL,
    flags TEXT NOT NULL,
    told TEXT NOT NULL
);
CREATE UNIQUE INDEX mmbox_owner ON mmbox (owner, number);
CREATE UNIQUE INDEX mmbox_token ON mmbox (token);
CREATE UNIQUE INDEX mmbox_source ON mmbox (source);
CREATE INDEX mmbox_content ON mmbox (content_id);

CREATE TABLE config (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    origin TEXT NOT NULL,
    data TEXT NOT NULL,
    changed_at {bigint} NOT NULL,
    PRIMARY KEY (kind, name)
);

CREATE TABLE node (
    name TEXT PRIMARY KEY,
    number {bigint} NOT NULL UNIQUE,
    start_no {bigint} NOT NULL,
    seen_at {bigint} NOT NULL,
    state TEXT NOT NULL,
    settings TEXT NOT NULL
);

-- Events whose charging records are not in a file yet, by the node whose files they go to.
CREATE TABLE cdr (node TEXT NOT NULL, event_id {bigint} NOT NULL, PRIMARY KEY (node, event_id));
