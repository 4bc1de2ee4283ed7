"""Words that tell of a prompt's kind, in some twenty languages.

Words of spaced scripts are looked up whole, or by their first six letters (`STEM`); those
of scripts written without spaces, or with many attached forms, are searched as substrings
(`_` stands for a space).
"""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """What a word speaks of."""

    CODE = 0
    MATH = 1
    REASON = 2
    WRITE = 3
    EXPERT = 4
    DEMAND = 5
    TALK = 6
    COMMAND = 7
    FACT = 8
    FORMAT = 9
    EDIT = 10
    SELF = 11


_SPACED: dict[Kind, str] = {
    Kind.CODE: """
        idempotent idempotency replica replicas replication sharding shard partition partitions
        failover rollback rollout deployment deployments pipeline middleware webhook websocket
        socket packet packets checksum hash hashing hashmap heap stack queue trie bitmask
        iterator generator closure decorator polymorphism inheritance encapsulation
        interface generics macro memory allocator profiler benchmark
        pod pods cluster kafka rabbitmq celery airflow spark hadoop etl orm transaction
        transactions isolation consistency eventual index indexes subquery
        linter bundler yarn gradle maven cmake makefile bytecode opcode kernel
        syscall interrupt firmware microcontroller fpga verilog assembly simd vectorise
        saml csrf xss sandbox hypervisor vm ide cli sdk repository merge rebase
        python javascript typescript java c++ rust golang kotlin swift php ruby perl haskell
        sql mysql postgres postgresql sqlite mongodb redis html css react vue angular django
        flask fastapi node nodejs npm docker kubernetes k8s terraform ansible git github
        bash shell linux regex regexp api rest graphql json yaml xml csv http https tcp
        function functions class classes method variable variables loop array arrays string
        pointer struct boolean integer recursion recursive algorithm algorithms compile compiler
        runtime exception exceptions traceback stacktrace segfault debug debugger bug bugs
        refactor unittest pytest script scripts code coding codebase program programming
        thread threads threading mutex async asyncio concurrency deadlock cache caching
        database databases query queries schema endpoint backend frontend server microservice
        microservices numpy pandas pytorch tensorflow sklearn tokenizer parser lexer
        latency throughput scalability scalable serverless lambda aws azure gcp
        null undefined const void int float bool
        stdout stderr argv leetcode
        powershell vba excel matlab fortran cobol solidity cuda opengl webpack nginx oauth jwt
        programm programmcode quellcode skript funktion funktionen klasse methode algorithmus
        datenbank abfrage schnittstelle fehlermeldung programmier
        fonction fonctions algorithme programme requête codage classe script
        función funcion algoritmo programa código codigo consulta clase
        função funcao programa algoritmo consulta classe
        funzione algoritmo programma codice
        functie algoritme programma
        funkcja funkcję algorytm program kod zapytanie
        функция функцию функции код программу программа алгоритм скрипт класс запрос
        ошибка ошибку база данных сервер
        fonksiyon algoritma program kod yazılım veritabanı
        fungsi algoritma program kode skrip basis
        hàm thuật toán lập trình
        """,
    Kind.MATH: """
        rational irrational reals complex cyclic abelian group
        ideal module homology cohomology functor category lattice poset bijective injective
        surjective continuous differentiable compact connected dense measurable countable
        uncountable cardinality metric norm banach hilbert eigenvectors orthogonal orthonormal
        projection rank nullspace trace diagonalise diagonalize symmetric
        quadratic cubic monic coefficient coefficients root roots binomial multinomial
        generating coprime totient residue remainder congruence diophantine induction
        contradiction axiom axioms pigeonhole graph vertex vertices edges planar bipartite
        hamiltonian eulerian chromatic spanning perpendicular parallel inscribed circumscribed
        centroid altitude median bisector trapezoid parallelogram polygon polyhedron
        ellipse parabola hyperbola asymptote maxima minima divergence curl laplace
        fourier taylor maclaurin newton euler gauss bernoulli poisson binomially martingale
        estimator likelihood posterior prior confidence quantile covariate anova heteroscedastic
        teilbar reihe gruppe ganzzahlig ganzzahligen zeige
        premier entières montrez série groupe cyclique
        primos enteras serie cíclico
        делится простых целые группа ряд компакте покажите
        prove proof theorem lemma corollary conjecture integral integrals integrate derivative
        derivatives differentiate differential equation equations inequality polynomial
        polynomials matrix matrices eigenvalue eigenvalues eigenvector determinant vector
        probability probabilities variance covariance expectation distribution gaussian
        bayes bayesian markov stochastic regression statistical hypothesis integer integers
        prime primes modulo modular congruent divisible divisor factorial permutation
        permutations combination combinations combinatorics triangle circle radius angle
        hypotenuse tangent cosine sine logarithm exponential limit converge converges
        convergence series sequence recurrence bijection isomorphism homomorphism topology
        manifold calculus algebra geometry trigonometry arithmetic calculate compute solve
        simplify evaluate optimum minimize maximize maximise minimise percent percentage
        beweise beweis gleichung gleichungen wahrscheinlichkeit ableitung matrix berechne
        berechnen löse funktion stetig konvergiert primzahl
        démontrer démontre démontrez prouver prouve équation équations probabilité dérivée
        intégrale calculer calcule calculez résoudre résous matrice théorème
        demuestra demostrar demuestre ecuación ecuaciones probabilidad derivada calcula
        calcular calcule resuelve resolver teorema matriz
        demonstre prove equação equações probabilidade calcule resolva teorema
        dimostra dimostrare equazione equazioni probabilità derivata integrale calcola risolvi
        bewijs vergelijking kansrekening bereken afgeleide
        udowodnij równanie prawdopodobieństwo oblicz pochodną całkę
        докажи докажите доказать уравнение уравнения вероятность интеграл производную
        производная вычисли вычислите найдите реши решите теорема матрица матрицу
        kanıtla kanıtlayın denklem olasılık türev integrali hesapla hesaplayın çöz
        buktikan persamaan peluang turunan integral hitung hitunglah
        """,
    Kind.REASON: """
        disprove refute counterexample substantiate reconstruct weigh
        hypotheses cause causes mitigate prioritise prioritize
        recommend advise appraise estimate quantify extrapolate generalise generalize
        distinguish categorise classify propose formalise
        formalize axiomatise operationalise scrutinise interpret rebut steelman
        postmortem invariant invariants feasibility robustness
        interactions ramifications drawbacks
        prüfe erörtere leite bestimme
        établissez déterminez proposez qualifiez
        halla propón
        mostre deduza proponha mostra ricava proponi
        wykaż podaj выведите предложите квалифицируйте
        analyze analyse analyzing analysis compare comparing comparison contrast evaluate
        evaluating assess critique criticize justify argue argument reasoning reason derive
        deduce infer diagnose optimize optimise optimizing design designing implement
        implementing implementation architect architecture strategy strategies tradeoff
        tradeoffs implications consequences elaborate explain explaining examine investigate
        synthesize reconcile formulate devise develop construct model simulate troubleshoot
        detailed thorough comprehensive in-depth rigorous rigorously nuanced systematically
        critically differences mechanism mechanisms puzzle riddle paradox logically
        analysiere analysieren vergleiche vergleichen bewerte erkläre erklären begründe
        entwirf entwerfen entwickle entwickeln implementiere implementieren optimiere erläutere
        diskutiere untersuche beurteile ausführlich herleiten
        analyser analyse analysez comparer compare comparez expliquer explique expliquez
        concevoir conçois concevez évaluer évalue justifie développe développer optimiser
        implémente implémenter détaillée détaillé
        analiza analizar analice compara comparar compare explica explicar explique diseña
        diseñar diseñe evalúa desarrolla desarrollar justifica optimiza implementa detallado
        analise analisar explique explicar projete desenvolva avalie justifique otimize
        analizza analizzare confronta spiega spiegare progetta progettare valuta sviluppa
        analyseer vergelijk ontwerp verklaar beargumenteer ontwikkel
        przeanalizuj porównaj wyjaśnij zaprojektuj oceń uzasadnij opracuj
        проанализируй проанализируйте сравни сравните объясни объясните спроектируй
        спроектируйте разработай разработайте обоснуй обоснуйте оцени оцените подробно
        оптимизируй реализуй реализуйте
        analiz karşılaştır açıkla açıklayın tasarla tasarlayın değerlendir geliştir ayrıntılı
        analisis analisislah bandingkan jelaskan rancang rancanglah evaluasi kembangkan
        phân tích giải thích thiết kế
        """,
    Kind.WRITE: """
        essay article report story novel chapter screenplay script dialogue poem sonnet speech
        proposal plan roadmap curriculum syllabus lesson presentation thesis dissertation
        whitepaper documentation tutorial blog letter review paragraph paragraphs words
        pages persona character scenario roleplay campaign pitch resume cv
        aufsatz artikel bericht geschichte gedicht rede konzept gliederung gutachten
        businessplan lehrplan
        dissertation rapport histoire poème discours plan rédige rédigez rédiger nouvelle
        ensayo artículo informe cuento poema discurso redacta redactar propuesta
        redação artigo relatório conto poema discurso redija proposta
        saggio articolo relazione racconto poesia discorso proposta
        opstel verslag verhaal gedicht betoog
        esej artykuł raport opowiadanie wiersz rozprawkę
        эссе статью отчёт отчет рассказ стихотворение доклад реферат сочинение план
        makale rapor hikaye deneme şiir
        esai artikel laporan cerita puisi makalah
        """,
    Kind.EXPERT: """
        patient presents presenting symptom symptoms prognosis aetiology etiology pathogenesis
        dosage contraindication contraindications comorbid comorbidity biopsy lesion tumour
        tumor carcinoma metastasis anaemia anemia sepsis hypertension diabetes insulin thyroid
        renal hepatic cardiac pulmonary neuron neurons synapse cortex antibody antigen cytokine
        inhibitor agonist antagonist pharmacokinetics cytochrome warfarin statin randomised
        randomized placebo cohort epidemiology incidence prevalence
        indemnity indemnify warranty negligence breach remedy remedies damages injunction
        statutory precedent appellate jurisdictional arbitration trustee beneficiary
        copyright patent trademark antitrust merger acquisition shareholder shareholders
        insolvency bankruptcy debtor collateral covenant lien easement tenancy probate
        royalties withholding vat deferred goodwill impairment accrual ifrs gaap audit auditor
        portfolio volatility option options futures swap bond bonds yield arbitrage liquidity
        solvency underwriting actuarial monopoly monopolist externality keynesian
        neoclassical endogenous exogenous instrumental econometric
        ontological epistemic deontology consequentialism metaphysics aesthetics
        dialectic categorical imperative phenomenological existentialism postmodern
        enlightenment reformation bourgeoisie proletariat imperialism feudal suffrage
        orbital hybridisation nucleophile electrophile isomer chirality titration molarity
        exothermic endothermic enthalpic spectroscopy chromatography catalysis
        photon photons boson fermion lagrangian wavefunction spin superconductor
        relativistic gravitational momentum inertia diffraction interference refraction
        plasma fusion fission isotope radioactive isotopic seismic tectonic stratigraphy
        ecosystem genomic allele phenotype genotype transcription ribosome mitosis
        meiosis apoptosis chloroplast metabolism phylogenetic
        beam strain fatigue tensile shear buckling truss reynolds laminar turbulent
        compressor turbine actuator controller feedback pid kalman sensor
        bandgap amplifier oscillator capacitor inductor modulation sampling nyquist
        iambic pentameter villanelle sestina terza narrator unreliable
        counterpoint harmony cadence chord chords voicing
        phoneme morpheme syntactic semantic pragmatics translationese
        anspruch ansprüche kläger mietrecht differenzialdiagnose patientin befund
        diagnostic différentiel vice
        jurídica diagnóstico diferencial cláusula vicio
        quantum thermodynamics entropy enthalpy relativity electromagnetic semiconductor
        photosynthesis mitochondria enzyme protein proteins genome crispr rna dna receptor
        pharmacology pathophysiology differential diagnosis clinical therapeutic oncology
        neuroscience neural transformer gradient backpropagation reinforcement embedding
        statute jurisdiction liability plaintiff defendant tort contract clause constitutional
        litigation regulatory compliance gdpr fiduciary amortization depreciation equity
        derivatives hedge valuation discounted macroeconomic monetary fiscal inflation
        elasticity equilibrium oligopoly epistemology ontology phenomenology utilitarianism
        deontological kantian hegel hermeneutics geopolitical hegemony colonialism
        historiography catalyst stoichiometry reaction oxidation polymer molar molecule
        aerodynamics turbulence viscosity torque voltage circuit impedance transistor
        cryptography encryption blockchain consensus distributed byzantine raft paxos
        bandwidth topology firewall vulnerability exploit malware supply logistics
        sociolinguistics syntax morphology phonology anthropology demographic policy
        quantenmechanik thermodynamik entropie vertrag haftung rechtslage steuerrecht
        verfassung volkswirtschaft
        quantique thermodynamique juridique contrat responsabilité droit économie constitution
        cuántica termodinámica jurídico contrato responsabilidad economía constitución
        квантовой квантовая термодинамики экономики договор право конституции физики
        """,
    Kind.DEMAND: """
        each every step steps state assumptions
        assumption fully exact minimal optimal optimally asymptotic
        must should ensure requirements requirement constraint constraints assume assuming
        given suppose considering consider including include respectively exactly least most
        between without following provided specify specific specifically output input inputs
        outputs format example examples edge cases furthermore additionally finally then
        muss müssen soll sollen berücksichtige berücksichtigung anforderungen mindestens
        angenommen beispiel beispielen sowie
        doit doivent contraintes exigences supposons tenant compte exemple exemples
        debe deben requisitos restricciones supongamos teniendo cuenta ejemplo ejemplos
        deve devem requisitos restrições considere exemplo exemplos
        deve devono requisiti vincoli considerando esempio esempi
        должен должна должны требования ограничения учитывая учётом предположим пример
        примерами
        """,
    Kind.TALK: """
        hmm yup nah bored tired happy sad hungry cute boring crazy wonderful lovely
        favourite favorite vacation holiday party kids mom dad grandma grandpa sister brother
        hi hello hey yo hiya howdy morning thanks thank thx ty bye goodbye goodnight lol haha
        hahaha ok okay cool nice great awesome sure yeah yes yep nope no wow please sorry
        welcome buddy dude bro congrats love like feeling feel weekend dinner lunch breakfast
        movie movies music song songs joke jokes funny weather birthday hobby hobbies
        hallo danke bitte tschüss guten tag abend geht wetter witz
        bonjour salut merci bonsoir coucou blague météo
        hola gracias buenos buenas días noches adiós chiste clima tal
        olá oi obrigado obrigada bom dia boa tarde noite tudo piada
        ciao grazie buongiorno buonasera barzelletta
        hoi bedankt goedemorgen grapje
        cześć dzięki dziękuję dobry dowcip
        привет спасибо здравствуйте пока шутку погода дела доброе утро анекдот
        merhaba selam teşekkürler günaydın nasılsın şaka
        halo terima kasih selamat pagi kabar lelucon
        xin chào cảm ơn
        """,
    Kind.COMMAND: """
        lamp light wake snooze uber taxi restaurant pizza recipe cook cooking oven fridge
        groceries insurance pin atm routing deposit paycheck luggage airline hotel visa
        remind reminder reminders alarm timer set play pause stop turn call text send order
        book reserve reservation flight schedule calendar meeting appointment shopping list
        lights volume traffic directions balance transfer pay bill account card tomorrow
        today tonight monday tuesday wednesday thursday friday saturday sunday
        erinnere wecker stelle spiele termin einkaufsliste
        rappelle alarme réveil mets courses
        recuérdame alarma pon lista compra
        напомни будильник поставь включи
        """,
    Kind.FACT: """
        who when where what's whats capital define definition meaning mean synonym spell
        convert population tall old born invented year
        wer wann wo hauptstadt bedeutet heißt
        quand où capitale signifie quel quelle
        quién cuándo dónde capital significa cuál
        кто когда где столица значит
        """,
    Kind.FORMAT: """
        table markdown bullet bullets list outline headings section sections template
        spreadsheet checklist matrix schema summary rubric citations references
        tabelle tableau tabla tabela tabella таблицу таблица
        """,
    Kind.EDIT: """
        shorter longer rephrase rewrite reword paraphrase summarize summarise translate
        translation proofread correct grammar spelling simpler formal casual shorten tldr
        kürzer übersetze übersetzen umformulieren zusammenfassen fasse korrigiere
        traduis traduire traduisez résume résumez reformule corrige raccourcis
        traduce traducir resume resumir corrige reescribe
        traduza traduzir resuma corrija
        traduci riassumi correggi vertaal przetłumacz
        переведи переведите перевести сократи перефразируй исправь
        çevir özetle terjemahkan ringkas
        """,
    Kind.SELF: """
        i me my mine myself you your yours i'm im you're youre we us our
        ich mir mich mein meine du dir dich dein
        je moi mon ma mes toi tu ton ta
        yo mi mis tú tu tus
        eu meu minha você
        я мне мой моя моё ты тебя твой
        """,
}

_JOINED: dict[Kind, str] = {
    Kind.CODE: """
        代码 函数 编程 程序 算法 数据库 脚本 接口 编写一个 调试 程式 コード 関数 プログラム
        アルゴリズム データベース スクリプト 実装 코드 함수 프로그램 알고리즘 데이터베이스
        스크립트 كود دالة برنامج خوارزمية برمجة कोड फ़ंक्शन फंक्शन प्रोग्राम एल्गोरिदम โค้ด
        ฟังก์ชัน
        """,
    Kind.MATH: """
        证明 方程 概率 积分 导数 矩阵 求解 计算 定理 数列 証明 方程式 確率 積分 微分 行列 計算
        求めよ 求めなさい 증명 방정식 확률 적분 미분 행렬 계산 구하 أثبت معادلة احتمال تكامل
        احسب مشتقة सिद्ध समीकरण प्रायिकता गणना हल_करें พิสูจน์ สมการ คำนวณ
        """,
    Kind.REASON: """
        分析 比较 解释 设计 评估 论述 推导 优化 实现 阐述 详细 权衡 比較 説明 設計 評価 論じ
        考察 最適化 詳しく 詳細 분석 비교 설명 설계 평가 최적화 구현 자세히 حلل قارن اشرح صمم
        ناقش بالتفصيل विश्लेषण तुलना समझाइए समझाएं डिज़ाइन विस्तार วิเคราะห์ เปรียบเทียบ อธิบาย
        ออกแบบ
        """,
    Kind.WRITE: """
        文章 论文 报告 故事 小说 诗 方案 计划书 演讲 作文 記事 レポート 物語 小説 企画書
        スピーチ 에세이 보고서 이야기 소설 기획서 연설 مقال تقرير قصة خطة خطاب निबंध रिपोर्ट
        कहानी योजना เรียงความ รายงาน บทความ
        """,
    Kind.EXPERT: """
        量子 热力学 宪法 合同 经济 法律 分布式 神经网络 熱力学 憲法 契約 経済 分散システム
        ニューラル 양자 열역학 헌법 계약 경제 분산 الكم القانون العقد الاقتصاد क्वांटम संविधान
        अर्थव्यवस्था กฎหมาย เศรษฐกิจ
        """,
    Kind.DEMAND: """
        必须 要求 假设 并且 至少 例如 考虑 条件 必要 仮定 少なくとも 考慮 ただし 반드시 조건
        가정 최소 고려 يجب بشرط افترض مثال चाहिए मान_लीजिए उदाहरण कम_से_कम ต้อง ตัวอย่าง
        """,
    Kind.TALK: """
        你好 谢谢 早上好 再见 笑话 天气 哈哈 您好 こんにちは ありがとう おはよう さようなら
        こんばんは 冗談 天気 元気 안녕 고마워 감사합니다 농담 날씨 مرحبا شكرا السلام صباح نكتة
        الطقس नमस्ते धन्यवाद शुक्रिया मज़ाक चुटकुला मौसम สวัสดี ขอบคุณ อากาศ
        """,
    Kind.COMMAND: """
        提醒 闹钟 播放 打开 关闭 明天 アラーム 再生 つけて 消して 明日 リマインド 알람 틀어 켜줘
        꺼줘 내일 ذكرني المنبه شغل غدا याद_दिला अलार्म चलाओ ปลุก เปิดเพลง
        """,
    Kind.FACT: """
        什么是 是谁 哪里 首都 什么时候 意思 誰 どこ いつ 首都 意味 とは 누구 어디 언제 수도 뜻
        ما_هي من_هو متى أين عاصمة क्या_है कौन कब कहाँ राजधानी मतलब คืออะไร ใคร เมื่อไร
        """,
    Kind.EDIT: """
        翻译 总结 改写 缩短 简短 润色 翻訳 要約 短く 言い換え 添削 번역 요약 짧게 고쳐 ترجم لخص
        अनुवाद सारांश แปล สรุป
        """,
}

STEM = 6
WORDS: dict[str, int] = {w: int(kind) for kind, text in _SPACED.items() for w in text.split()}
STEMS: dict[str, int] = {
    w[:STEM]: kind
    for w, kind in WORDS.items()
    if len(w) > STEM and kind in (Kind.CODE, Kind.MATH, Kind.REASON, Kind.EXPERT, Kind.EDIT)
}
SUBSTRINGS: tuple[tuple[str, int], ...] = tuple(
    (w.replace("_", " "), int(kind)) for kind, text in _JOINED.items() for w in text.split()
)
