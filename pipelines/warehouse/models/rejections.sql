-- Lignes écartées : feuille, ligne, raisons et contenu d'origine. Réservé aux analystes.

select * from staged_rejections order by all;
