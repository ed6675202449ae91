INSERT INTO "drug" ("name", "stock") VALUES ('Amoxicillin', 100), ('Ibuprofen', 60), ('Loratadine', 30);
INSERT INTO "allergy" ("name") VALUES ('Penicillin');
