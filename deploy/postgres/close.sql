-- Run once by the image, when the data directory is made (/docker-entrypoint-initdb.d). The migrations make the services'
-- roles, give them their passwords and close Routiq's own database; these two PostgreSQL opens to every role as well.
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
