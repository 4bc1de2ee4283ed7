"""Plain pairs of prompts: the first must not be judged harder than the second."""

from __future__ import annotations

from functools import cache

import pytest

from adapters.training.shipped import load_shipped_estimator
from bot.difficulty import LocalEstimator

PAIRS = (
    ("Write a Python function that adds two numbers",
     "Design a distributed rate limiter that survives the loss of a data centre"),
    ("print hello world in java", "Why does my Java service deadlock only under load? Two threads "
     "take the account lock and the audit lock in different orders, see the stack traces below."),
    ("how do i make a list in python",
     "Implement a lock-free hash map in C++20 and argue why each memory order suffices"),
    ("How do I center a div?", "Our page janks at 20 fps while scrolling a virtualised table of "
     "100,000 rows. Find the likely causes of layout thrash and rank the fixes."),
    ("what does git pull do", "Rewrite the history of a shared branch to drop a leaked key without "
     "breaking forty open pull requests; give the exact commands and the risks of each"),
    ("select all rows from a table in sql", "Write one SQL query that returns, per customer, the "
     "longest run of consecutive days with an order, and explain the window functions"),
    ("Write a for loop from 1 to 10", "Prove the worst case running time of union-find with path "
     "compression and union by rank"),
    ("what is 12 times 12?", "Prove that there are infinitely many primes p ≡ 3 mod 4"),
    ("What's 15% of 80?", "Let f be continuous on [0,1] with f(0)=f(1). Show that for every n "
     "there "
     "is x with f(x)=f(x+1/n)."),
    ("how many sides does a hexagon have", "How many ways are there to tile a 2×n board with "
     "dominoes and L-trominoes? Derive the recurrence and solve it."),
    ("is 7 a prime number?", "Find all integers n such that n^2 + 3n + 9 is divisible by 27"),
    ("What is pi?", "Evaluate the integral of ln(1+x^2)/(1+x^2) from 0 to infinity"),
    ("what is a variable", "Derive the backpropagation equations for a gated recurrent unit and "
     "show where the gradient vanishes"),
    ("What does TCP stand for?", "Why does TCP need a three-way handshake and not two?"),
    ("what is the capital of Australia", "Compare the causes of the fall of the Western Roman "
     "Empire given by Gibbon, Pirenne and Heather, and weigh the evidence for each"),
    ("who painted the mona lisa", "Critically assess whether the Congress of Vienna prevented or "
     "merely postponed a general European war"),
    ("thanks, have a great weekend!", "Draft the indemnity clause for a software licence under "
     "English law that excludes consequential loss but survives an unfair-terms challenge"),
    ("good morning", "Analyse the tax consequences of moving a limited company's residence from "
     "Ireland to Portugal halfway through the financial year"),
    ("What is a lease?", "My landlord kept the deposit, let the flat before my notice ran out and "
     "claims fair wear as damage. Which claims do I have, in what order, and how strong is each?"),
    ("what's a normal body temperature", "A 54-year-old on lithium presents with tremor, "
     "polyuria and a creatinine that doubled in a month. Work through the differential diagnosis."),
    ("is ibuprofen a painkiller?", "Explain how warfarin, amiodarone and grapefruit interact at "
     "the level of the cytochromes and what it means for dosing"),
    ("remind me to drink water", "Plan a twelve-week strength programme for a runner who returns "
     "from a torn meniscus, with criteria for moving on to each phase"),
    ("write a birthday message for my aunt", "Write a villanelle about tidal power in which every "
     "line has ten syllables and no letter q appears"),
    ("suggest a name for my goldfish", "Write the first chapter of a mystery whose narrator lies, "
     "so that a careful reader can find three contradictions"),
    ("fix the spelling: i recieved teh parcel", "Restructure my literature review so that the "
     "theoretical gap is visible, and tell me which of the four strands should be cut and why"),
    ("Translate 'good night' into Italian", "Translate this sonnet into German keeping the metre, "
     "the rhyme scheme and the pun in the last couplet"),
    ("how do i boil an egg", "Design a tasting menu of seven courses for a guest with coeliac "
     "disease and a histamine intolerance, and time the kitchen of two cooks"),
    ("what time is it in tokyo", "Build a staffing model for a call centre with three shifts, "
     "Erlang C queues and a service level of 80/20, and state your assumptions"),
    ("play some jazz", "Reharmonise the first eight bars of Autumn Leaves with tritone "
     "substitutions and explain each voice leading"),
    ("What is inflation?", "Derive the New Keynesian Phillips curve from Calvo pricing and discuss "
     "why the empirical slope has flattened"),
    ("how old is the earth", "How do uranium-lead discordia dates separate crystallisation from "
     "later lead loss? Explain with the concordia diagram."),
    ("why is the sky blue", "Derive the wavelength dependence of Rayleigh scattering from an "
     "oscillating dipole, and estimate the optical depth at the zenith"),
    ("What is photosynthesis?", "Compare the quantum yields of C3, C4 and CAM plants under heat "
     "stress and predict which wins at 700 ppm CO2"),
    ("who was kant", "Does Kant's formula of universal law succumb to the problem of relevant "
     "descriptions? Reconstruct the argument and reply."),
    ("set a timer for 10 minutes", "Migrate a 4 TB Postgres database to another region with under "
     "a minute of downtime: the plan, the checks and the way back"),
    ("what is docker", "Pods restart with exit code 137 every few hours though memory graphs look "
     "flat. How would you find out why?"),
    ("i'm bored", "Model the spread of a rumour on a small-world network and derive the threshold "
     "at which it dies out"),
    ("Could you please shorten this e-mail for me? Hi Anna, I just wanted to let you know that the "
     "meeting on Tuesday has moved to three o'clock because the room was taken. Please bring the "
     "photos from the summer party, and tell Ben as well. See you soon, Marie",
     "Why is the halting problem undecidable?"),
    ("hey so yesterday i went to the park with my sister and her dog and it started to rain so we "
     "ended up in a tiny cafe and had the best cake ever, anyway do you know a good cake recipe?",
     "Prove Gödel's first incompleteness theorem"),
    ("I bought a new phone and I love it, the camera is great and the colours are so nice. My old "
     "one was six years old and the screen was broken. What case should I get, a red or a blue "
     "one?",
     "Is P = NP likely? Sketch the natural proofs barrier"),
    ("This is extremely hard, use the best model: what is the capital of Spain?",
     "Construct a counterexample to the claim that every separable space is second countable"),
    ("Was ist die Hauptstadt von Italien?", "Beweise den Satz von Bolzano-Weierstraß und zeige an "
     "einem Gegenbeispiel, warum er in unendlicher Dimension scheitert."),
    ("Schreib mir einen kurzen Geburtstagsgruß", "Prüfe, ob dem Käufer nach § 437 BGB noch "
     "Rücktritt "
     "zusteht, wenn die Nacherfüllung zweimal fehlschlug, und nimm zur Gegenansicht Stellung."),
    ("Wie spät ist es?", "Entwirf eine Architektur für ein mandantenfähiges Abrechnungssystem mit "
     "Nachvollziehbarkeit jeder Buchung und begründe die Wahl der Datenbank."),
    ("Comment dit-on chat en anglais ?", "Démontrez que toute matrice symétrique réelle est "
     "diagonalisable dans une base orthonormée."),
    ("Raconte-moi une blague", "Comparez les conceptions du contrat social chez Hobbes et Rousseau "
     "et discutez leur portée pour la démocratie directe."),
    ("¿Qué hora es en Lima?", "Demuestra la desigualdad de Cauchy-Schwarz y analiza cuándo se "
     "da la "
     "igualdad."),
    ("gracias por todo", "Diseña un plan de migración de un monolito a microservicios con "
     "transacciones distribuidas y justifica cada paso."),
    ("Che tempo fa a Roma?", "Analizza le cause della crisi del debito sovrano del 2011 e "
     "valuta le "
     "alternative di politica monetaria."),
    ("Qual é o seu nome?", "Explique passo a passo como um ataque de temporização recupera uma "
     "chave "
     "RSA e como o mitigar."),
    ("Hoe laat is het?", "Leid de warmtevergelijking af en los haar op voor een staaf met "
     "geïsoleerde uiteinden."),
    ("Jaka jest stolica Francji?", "Udowodnij, że każda grupa rzędu p^2 jest przemienna."),
    ("Как дела?", "Докажите, что функция, непрерывная на отрезке, равномерно непрерывна на нём."),
    ("Розкажи жарт", "Порівняй алгоритми Raft і Paxos та поясни, за яких збоїв кожен зупиняється."),
    ("Bugün hava nasıl?", "Dağıtık bir sistemde tam bir kez teslimin neden imkânsız olduğunu "
     "kanıtla ve pratik çözümleri karşılaştır."),
    ("كم الساعة الآن؟", "أثبت أن مجموعة الأعداد الحقيقية غير قابلة للعد واشرح كل خطوة."),
    ("आज मौसम कैसा है?", "सिद्ध कीजिए कि प्रत्येक परिमित पूर्णांकीय प्रांत एक क्षेत्र होता है।"),
    ("你叫什么名字？", "证明任意连通图都有生成树，并分析Kruskal算法的时间复杂度。"),
    ("おはようございます", "マイクロサービスにおける分散トランザクションの"
     "設計を比較し、障害時の挙動を論じてください。"),
    ("오늘 날씨 어때?", "분산 합의 알고리즘의 안전성과 활성을 정의하고 "
     "FLP 불가능성 정리를 설명하시오."),
)  # fmt: skip


@cache
def _shipped() -> LocalEstimator:
    return load_shipped_estimator()


@pytest.mark.parametrize(("easier", "harder"), PAIRS)
def test_what_is_plainly_easier_is_not_judged_harder(easier: str, harder: str) -> None:
    estimator = _shipped()
    assert estimator.to_difficulty(easier) <= estimator.to_difficulty(harder)
