-- Durée des relations de financement (Kaplan-Meier) : part des relations encore ininterrompues après chaque nombre d'années, chez un financeur et un service suivi.
-- Entrées dont l'année d'avant est observée ; relation coupée par la fin des données retirée des relations suivies à partir de là ; rien n'est dit sur moins de vingt relations suivies.

select * replace (if(is_enough, survival, null) as survival, if(is_enough, survival_error, null) as survival_error)
from funding.continuity_survival
order by level, relation_key, age;
