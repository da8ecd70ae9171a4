"""The learned weights, made by `python -m training.train`: see docs/scorer.md. Not to be edited by hand."""

from __future__ import annotations

BASE_HUNDREDTHS = 16
"""The score of a prompt that shows nothing."""
HUNDREDTHS_PER_WORD_UNIT = 0.089012
FEATURES: dict[str, tuple[float, float, float, float]] = {
    "length": (11.69, -0.2644, 4.207, 0),
    "sentence_length": (0.9424, 0.7435, 4.335, 0),
    "digits": (2.918, -1.552, 2.369, 0),
    "numbers": (2.49, -2.89, 5.461, 0),
    "quantity": (2.209, -0.6791, 0.9598, 0),
    "operators": (1.949, -2.071, 2.999, 0),
    "latex": (2.051, -2.344, 3.189, 0),
    "maths_words": (2.862, -0.5091, 0.6736, 0),
    "code_characters": (1.447, -2.693, 4.061, 0),
    "coding_words": (1.644, -0.9302, 1.129, 0),
    "reasoning_words": (11.53, -0.1358, 0.1579, 0),
    "conditions": (2.922, -0.4706, 0.6879, 0),
    "negations": (7.124, -0.4178, 0.5794, 0),
    "word_length": (-2.976, 1.516, 6.901, 4.6),
    "variety": (-3.691, 0.1714, 1.285, 1),
    "function_words": (-1.255, -0.3482, 4.882, 0),
    "question_words": (-2.643, -0.47, 0.8105, 0),
    "how_words": (-7.03, -0.2176, 0.2639, 0),
    "plain_words": (-4.293, -0.3596, 0.429, 0),
    "person_words": (-1.965, -0.6748, 1.047, 0),
}
"""Hundredths for one unit, the lowest and the highest value that count, and the value that says nothing."""
WORDS = """\
-100 a answer changes d def environment food government growth more natural only refers social they to why without
-98 trade
-97 economic false he
-96 influence
-95 theory
-92 physical
-91 because most solely
-90 called genetic
-88 their
-86 primarily
-85 into
-84 earth
-82 question
-80 clear consumer much old
-79 copy price
-78 cells
-76 based money national she
-75 another demand levels them
-74 production
-73 other
-72 environmental exclusively his
-71 caused impact muscle type
-70 process public python
-69 activities best increased involves
-68 twice
-67 explain market system
-66 behavior
-65 ability law might research sort term
-64 day development map
-63 discuss list
-62 an blood some
-61 dna measure plants resources this
-60 marketing
-59 individual nutrients organization things woman
-58 business dog it
-57 action determines future language occurs passage similar
-56 not political services
-55 describes get great limited or party power proteins sky supreme words
-54 always any child increases types well
-53 are book direct lack
-52 analysis appropriate during means nums prevent sound
-51 faster primary
-50 happens leads organisms service through
-49 human key psychological see wind
-48 cause high important management rates resource supply
-47 activity body
-46 equation out pain presence scale structures
-45 effect friends historical plant speed states strong than use
-44 act bought by enhance groups include particular patient require scientists time
-43 affects central determined divisor factors foreign lead likely needs typically work
-42 affect been cost employee especially glucose insulin place quadratic rights spending true
-41 american animals atmosphere certain china hormone life month providing
-40 able community fewer individuals lot perimeter policies provide results sense thought word
-39 array become can congress do evolution exercise exist grow increase leader markets migration object often
-39 populations principles program specific used whereas
-38 active amendment artificial c consequences does existence following generally god islam isnumeric measures protect
-38 source way
-37 allow created describe determining examples fact found functional indicates known mostly performance serve useful
-37 yard
-36 across comes countries customer decrease establish information intervention meant photosynthesis physician playing
-36 prices product sexual symptoms thermal traits wave whether
-35 characteristic deficiency division evil from goals goods graph man nations physiological seat substances turn
-34 absolute associated cognitive content disorders experience good gravitational int level media personality referred
-34 religion small store
-33 efficient energy enzyme example families mind move nervous over personal remove taxes
-32 abilities access advertising alcohol allows among applied bacterial ben consumption controlled essential exchange
-32 first history isdecimal jewish john labor laws mechanisms organism our powerful proportional responsibility shows
-32 space sunlight
-31 amino commonly consistency convert diagonal directly effects except exists function go healthy larger mainly mouth
-31 ocean passive release religious stimuli structural treat trends truth various writer
-30 agreement biological client common consistent constitution control difficulty doing enjoy methods pricing skin
-30 soil someone therapy total write
-29 age beliefs bill boys climate congressional court egg emotional enzymes influenced medical memory middle molecules
-29 oxygen rather roles transport yes
-28 abundant acute back cellular competition component condition continue dictionary disease drift drugs economy
-28 endswith geographical has interior isdigit jobs materials mean processes quality regardless related remain result
-28 skills status student visit waves
-27 abnormalities all basic cancer cases conflict controls coordinate events federal focus frequent heart intensity
-27 leading matter men perceived powers principle refer relaxation samples seen still those
-26 aid call concerned defense developed discount dogs event executive fire flow hands her inversely iron isalnum
-26 justice learning leaving looking loved measuring names offerings park president reproduction scientific sleep
-26 stars systems transfer uncle unlike vote walk
-25 bases behavioral birds coal define differences elem examination framework give immune involving items local
-25 longitudinal meet off ones opportunity own pan perception philosophy picked prepare psychologists radiation reason
-25 relationship returns russian shape synthesis tissue uranium user varies wants your
-24 aging attend becomes benefit birth brought build chromosomes collection die effectiveness electricity element
-24 entirely existing fast films goal leadership like material obligation organs peter served shop silicon simplify
-24 stop style technology unrelated
-23 am ask assets bear behind citizens combined compared ecosystem ensure everything form idea inheritance
-23 intelligence isalpha johnson know land leg legislative matrix organizational patterns psychologist recovery
-23 regulate savings search segmentation serious shaped society soft soul sources step students tall tendency tests
-23 themselves together travels trees tuple using veto worker
-22 adapted available brain causes checks commands covalent crystal cup democracy developing done experiences farm
-22 fear feet findings firm fit gene height hindu ignorance investments involve involvement majority mitochondria
-22 muscles of peer race rain regulations representation sells slope subtract think tossed warm
-21 along bacteria cloud communications competitors consent course develop dinner dollars don engine established
-21 independent industries internal internet irrelevant isspace leaves morning nerve offering perspective politician
-21 presents private risk sequential staff strange textbf wealth women
-20 allowing arr ascii attitudes bag billion brazil buffer building capable capacity centers classical communist
-20 composition conduction constitutional deals decided deciding designed differ differentiation duration encourage
-20 examining feeling genetically golden growing habitat identical improve infer intake kid lawyers location multiply
-20 naturally neutrons noise parents popitem pregnancy profits psychology questions receives record records regulation
-20 remains response separate sharp snake sometimes spain stimulate stored suffering telephone temple tom tried
-20 vessels voting
-19 accumulation accuracy adrenaline anti assessed assumptions barriers benefits breast came cell characteristics
-19 characterized check christianity chromosome class coa command communicate degrees digestion digestive dioxide
-19 domestic effort employees enhancing evaluation execution experienced explaining feedback feeding fertilization
-19 generates gods hospital ice infrared interaction inverse investigation lie logical low mathbf minority models
-19 movements northern oscillator pollution pool population promotion psychotherapy purchasing pure raise rash respond
-19 responses said significance skill species specified speech suggest tissues tradition
-18 absorbs actors adenine advance advancements ages approaches batteries cans caribbean chemicals cities comets
-18 composed convergent council courts creating creation dehydrogenase demands differentiate doctrine economies
-18 election enhanced equiv ethical ever exclusive exposure fibres fossil frequently gases gets global harm harmony
-18 hormones hundred hypotenuse iii languages lists male mechanical meiosis membrane negative occupation outcome
-18 passes phrase pop procedure promotes protected secondary self series strength technical technological therapist
-18 thyroid today transformation transportation union unique urine wood would
-17 adjust agreements alzheimer amplitude appearance association beauty bible butter changing channels collecting
-17 commission committees complaint contracting cortex cortisol couldn damage decreases depends destruction
-17 determination devices different down education encourages endocrine explains exports finger german glycolysis hall
-17 hard hat health hill hinduism identification identified italy japan judaism kill laugh limiting made mary missing
-17 mountains moves nearby nonzero occurrences opposition participation past perpendicular plan played pre project
-17 promote protons qur radioactivity rapid received recommend residents restricted retirement rna ship sold
-17 specialized stolen structure sugar swimming talk testosterone throughout thus twins underfitting vascular welfare
-17 what
-16 acids acts adam advancement amount ancestor as assess assessing authority bmi buyers cap climb code college
-16 conditioned conduct consumed context county cow creative critical cultures demographic dietary display dominance
-16 drives dry efficiently encode entire ester ethics evolve exercising feelings forest garden gather gills glands
-16 golgi habits heightened hume husband imported improved inclusion interests liberal lived logic loose mark mars may
-16 movies nitrogen observing ownership paragraph paralysis peanut penetration pet policeman popular predicted prefer
-16 quite reduces relationships reminder reproduce retailers retention rich ruled sale sand sectors significant
-16 sinusoidal situations squirrel storage sword syndrome temporarily urban weakness wide workers
-15 actions attention began beginning berkeley bones bookstore breaking breeding bright cannot carbohydrates cartilage
-15 cats chinese collected collisions color comfortable companies confidence contribute cosmic cultural culture
-15 dementia designing develops did diffusion disagree discrimination distinction drop eat ecological eggs
-15 establishing estrogen evaluating feel fever filter fixing forces george girls harmful heard hid inflation injury
-15 instruction integration intellectual investment isupper keys king korea later lending light makes metallic miles
-15 moons mutations obedience oceans odd online oriented peripheral person piece polarization preventing prey products
-15 protest push qualitative ran ranges regulated representatives reproductive resolution returned rode rooms routine
-15 scotland several skilled solid solving sustained toddler told understanding unemployment virtues washington
-14 abraham absorption actively advise annually antiviral artist aspirin attorney audience augustine believes
-14 bloodstream books bound breathing buddhist bureaucratic cable cardiac cart cleaning clothing commerce
-14 communication consists contingency cream delivered deposit desk distinguish doubled enterprise epicurus europe
-14 excitation expression floors hemoglobin hurt illness imbalance intestine isosceles jovian keep kelvin learn loops
-14 loudness lungs lysosomes manufacturer mapping melts mistakes modify modulo mouse mrs mutualism nato nutrition
-14 occurring oscar outcomes oz paris planetary planets planning prayer preferences press rapidly realist red regions
-14 reticulum rituals ruler scores seller senate shared shifted speaker stimulates stimulating takes taking tariffs
-14 termination thoughts thyroxine too unconscious unions unless unstable variety vary vegetation viewed visual
-14 vitamins walls wasn went wonder worth yearly
-13 absorb adaptive administration aimed analyze artery asserts attraction aunt background banner bee behaviorism
-13 being bombs brief buddhism burst businesses bx case chain chief children computer conception conference consumers
-13 contract criteria death deemed descriptive dictates divergent duties easier educational eighth electrical encoded
-13 environments eu even everywhere evolutionary fantastic fetch firms fluctuate foundation fungi gradually guidelines
-13 gulf higher hypertension immediately imports incapable independently interpretation jack jet kind lasts looked
-13 making manage managing member mill modern moist movie myth nationalism neurotransmitters never news nominal
-13 nutrient occurrence parental parkinson pay phosphate politicians precise predators preserve progesterone
-13 protection purposes rainbow reaching reinforcement reveals role rows sellers sensory severity sikhism skeletal
-13 smell spiritual stack stay stroke successful tactics tails tay threats throne toy translation unaffected undergo
-13 unlimited usage val violence voter wages wealthy winning zen
-12 accelerated adopt advantage agencies aids altered amperes ancient arctic areas arms arrived arteries associations
-12 attainment attempts attribute ba behaviors belonging bodies brand bring britain capabilities capitalist cavity
-12 chair chemiosmosis chest coins committee compare complication consideration continued contrary converting cooling
-12 coworker cows crucial deal democratic depression destroyed developmental diarrhoea difficulties discharge
-12 disposable districts dolphins dryer due emergence enables endoplasmic engaged enhances excessive exclusion expand
-12 feature ferns fibrosis finish fission fixed foot formations friendly front gold got greenhouse grows hardy hear
-12 held humanitarian illustrate improves incentive infection infectious inferior informed input insists intermediate
-12 involuntary irrespective layers lizard loci london m2 managed marine mask measurement midpoint minerals near
-12 nearly objective oil opposite options participate pays permanent personnel pie pink pituitary policy poorly
-12 previously priced printing prize promotional proof purchases quantitative radians rays readily receptor regarding
-12 releases renewable reptiles requires respiration restriction reverse review rewards rival rocks sachs saying
-12 schools shake similarity sites slower standardized stare success successive sweat taylor tell thinking threshold
-12 tongue training trips tuples understand uptake urea utilized variation virtual vision von walked weights weinberg
-12 wherever works worship zones
-11 abnormal acetyl activated again alfred alliance allocation atp attributed automatically avoided ax bang bbc beings
-11 binds block breakdown breath bus buy cakes capacitance category chew chiefs childhood coloration communities
-11 completely conscious constantly contact crowd cutting damaged dark denote dependence descartes dilation director
-11 dirt distinguishes district dive economically electromagnetic embryos employed engineering entering entertainment
-11 eukaryotic exceptionalism experimental explanations exponential expresses factorial farther fears flexibility
-11 francis funding gastric going gradual grandma heating hierarchy homogeneous impacts inability indicative
-11 inequalities infarction inhabit inherent interactions interpret interviewing issues joule journey justify kidneys
-11 kids killing ladder lasted learned lessons liberalism lit look loud love luxury magistrate maintains mates
-11 maturation mechanism meditation meeting memories mental mine mobility muslim muslims name nature nerves
-11 nutritional optimization organelles orthodox ozone path pc pills play plays post presented presidential pressures
-11 privacy prolactin protein quickly rat redox redundant reliable reliance replied restricts revolt richard rushed
-11 secretes sending sensation slices societies somatic songs speakers spoon stairs standing statistical stopped
-11 subconscious supported surrounded swallowing talent texts therapeutic throw tumor twenty unconditioned underlying
-11 utility violation wet whom zoo π
-10 aaa acceptable acted adequate adequately advice advocate advocates affiliation afterlife against agreed alcoholic
-10 alexander amphibians answered aphasia apparatus appeal arm asexual attempt balloon barrier beasts bedroom
-10 biologist bipolar blank boy br branches brands breakfast bush card ce chairs chickens circulatory cold commanded
-10 companions company competitive computers concentrations concerns conservative contents continuing contraction
-10 converted core counter creatine cuts cystic demonstrates designs differing directions discounts divides door drank
-10 drive duck economists efficacy electoral eliminate emerging emphasizes encephalitis endurance equivalent
-10 establishes esteem evenly eventually expanding expectancy expert extreme fine fits fluid fortune general georgia
-10 glycerol grants grape grew habitats harry healing heaven hierarchical hours hurdle ideas identifying inner
-10 instructions invaders islamic keeps kinase large largest lay layer lemon leukocyte lifestyle lifestyles link lobe
-10 locate loop louisiana marshall medications metabolic metamorphosis mexico microphone mills monopolistic mood moon
-10 motivational myocardial negotiate neighborhood normally num offered originate others oven overcome override packs
-10 painful pants parametric perceptions pies planet plasma pose posterior preparing prevents primitive prison pro
-10 probably progressive prolonged prophase pull qquad raising reached regional reliability remaining resort
-10 restrictions reveal rhythm ribosomes rotten russia safe scarce send sensitivity serum sexually shifting shirts
-10 sikh sofa soviet spectroscopy spreading stabilizing stimulated stimulus stomata strategy strengthen subsequent
-10 sudden survive suspect task teaching tendon tennis theta towel train treaties uk unchanging update variations
-10 vehicle vertebrates vibrations vice vital voters washed weighs widespread winner worked workforce workplace yet
-9 accomplishment achievement activists adapt administer adopting advent aesthetics affecting aggressive agriculture
-9 allocated altogether ambition america analog analyst anger anxiety apply aside assist asteroids attitude attributes
-9 autosomal ban bathtub bind bonding bowl celsius cerebellum chase cheek chicken choices cholesterol christians
-9 clutch colored comet communal comparing comply concern concluded conservation constant copies cough courage craters
-9 crisis danger dead debate decoding deficiencies defines delicious demonstrate depressive deprivation desires
-9 dickens dict dilated diseases disruptive dl eliminates ending ensures equipment european facilitated fed felt
-9 fingers flower follow fourteenth friendship fully gary gastrointestinal hate historically hospitals hunting
-9 imitation immediate indefinitely infrastructure innate inputs inspect instability intensive interactive
-9 intermittent intracellular invested isascii isn kept kilograms knowledge lawn leave lesser library linked liver
-9 lots lucy maintenance maps mating mediterranean membership merchants metabolism milk mix movement mri naked noble
-9 norm nucleic null opened oral orbitals origins palace paying perceptual permanently petroleum phenomenon
-9 phosphocreatine placenta pond practiced precipitation prejudice presenting proper properties protectionism
-9 protective psychoanalytic pupil pushing qualified quick rainfall realized reasonably reasons recent recessive
-9 regard relative return revenue rigidity scarcity sclerosis seeing seeks sends serving shapes sharks simply slow
-9 socialist sons sovereignty stain stand start state statistics steps stranded styles submitted subsistence succeeded
-9 sufficient suppliers tachycardia taller technique toe trace trading translated transmission treaty triggered
-9 ultraviolet un vines visible wars watt weapons wish young
-8 abstract accurate adolescence adult affairs agent aggression algae alter ancestors antibiotics apoptosis arena
-8 arrive artificially artistic aspects attach auscultation backgrounds banks begun belong bilateral bleeding boils
-8 bold branch branding breed burn buyer buying caste celestial centralized civic classmates clause climbed closely
-8 cluster codes coherence combat commander commodity communism compensatory connection constricted consume consuming
-8 contacts contexts controlling convenience cool cousin creativity currency deceased decision dehydration demanded
-8 devotion didn diffuse dig disturbances diverse divorce dress durable dying eastern economics elasticity elementary
-8 elicit empathy emphasized enforce enjoyed epinephrine essence estimated eukaryotes europeans facilities fate
-8 fatigue few fibers forced forcing foster fox fragments fresh generation glycogen gone grades guru had hair hammer
-8 happen hegemonic helping honest huge hypothalamus impaired incorporate individually inductor influencing inhibition
-8 insect instead institution instructed instrumental intentions interference interview intra invasion invention
-8 investing isotopes james jenny jesus joints judgments lakes liberation limitations lisa lovely lowering maintain
-8 marks markup martin marxist maslow mathematics michael millions mission mitochondrion moisture monkey muscular mw
-8 navigation negotiation neon newton nobleman obesity objectivity observable observation opinions orbit organisation
-8 organisations organizations participants pathogens pathways peaceful peacefully performs permit phrases pick police
-8 poses position precision predictions predominant preserved pretty priority privileges producing profit
-8 profitability prohibited promoted properly provision puppy raises reabsorption recycle reflective regulatory
-8 releasing religions report resist revenge rider safely salary saving sayings scriptures secretion seeking selective
-8 settle shortness sitting sleeping smoking socio solubility speaks speeds spine stones stream stress submission
-8 suggests supportive supposed survey sustainable temporary terminated terrible testimony theirs thereby touch tough
-8 traditional traditions transverse trauma truck typing undefined undesirable up vaginal variables vegetable
-8 vegetables vendor wash waste watching weaken websites whatever zone
-7 accidental adler adolescents adopted adrenergic advocated afterward altering amendments anaemia anterior appeals
-7 applications approach argument attacks availability bags bb beijing believed beverages bicycle billy blackbody
-7 blocked bowel bread bureaucracy calculating capsule catch categorized celebrate cellphone centrifugal cerebral
-7 cessation challenge chloroplasts climbing coat combine comfort commitment compass compressibility concept
-7 conscience containers contractual convolutional coulomb dealing decisions dentist depletion derivative diastolic
-7 dimensions discovery displayed disposed dissociative dissolves document doppler dreams drought educated enhancement
-7 equator exile explained factories failing farmer feed flowering fluctuates fluids focuses foods founder fraud
-7 frontal fuels generated getting glow grandfather gravity grocery guess guests guided guilty hallucinations happened
-7 healthcare helpless hinders home host humans hurtful illnesses impossible improving indoor influences inform
-7 inherit inhibited injection inquiry interact interesting intermediaries intravenous invoice issuing japanese
-7 keeping kingdoms knows lacking lacks landing lands last launch legislature legitimacy liberalist liberties
-7 likelihood limits listing lock lumber mainstream maintaining makeup mammals managers manifested maximize merchant
-7 meteorites microscope mistake mitochondrial mitral monetary monopoly motivation murmur mutually neglected
-7 neglecting nomads nonsense norms now numerous occupational offspring open organize organizing ourselves outbreak
-7 parking peel perpetual physically piano plastic polymerase poor pope pot potential practice practices predetermined
-7 provisions pulmonary quasi raw reads regression relying requiring researcher residence responded responsible rod
-7 rogers rulers ruling run rural save scramble securitization settings settlement seventh shirt shortly shower
-7 sidewalk silhouette similarities sing situation slave slightly smash smiling soldier spatial spot sprayed squared
-7 started static stomach street subsidies sufficiency suppressed symmetry tanks teachings thirst threw tie tony tool
-7 turning unable underwent unjust validity variability versions violent violin vitamin warmth weaponry weekend
-7 willingness window wipe wished worried xylem yards zygote
-6 abdomen accelerates adaptations additive adolescent affected algorithm ampere amplification amylase analyzing
-6 ancestral announced ants argue arthritis assessment associative atrial attack attacked baier baked barber blame
-6 bodily briefly burning calories calvin capital causing cc cease centimeter centre centric centripetal chip chose
-6 cilia cognition commodities compete composite comprehension compromise concentration conflicting conjugate
-6 considerable considerations continually contracted contributing converts cord covering cried cruel cue cytoplasm
-6 daughter decade decentralized demonstrated denying deposits dialogue differentiated dinosaurs directed discussing
-6 domains dream dressed dworkin ease electrolytes elif eliminating email embryonic employer employment encoding
-6 encompasses encouraging engels engines enlightened enlightenment evolved exams export extremities faced faith fava
-6 fell fertility fertilizer fiscal flag flooding fluctuations fold former forth free freud frisbee fructose gasoline
-6 gender goodness gram greatest headache hedge helps heredity hose hotel humidity hygiene ibn identifies idols
-6 illustrated impose impulses institute intuition investigating irreversible jimmy jugular karl kelly kepler kidney
-6 kingdom knees lake leash leftover legislation lighter linking literature logically lymph managerial marker mat
-6 materialism minds minnesota misleading mobilization morality mortar ms must obey objectively obliged obtains offer
-6 onto osmosis overhead owned owners oxidation painted pairing palindrome parathyroid partially patch pathogen
-6 persistent pesos pharmacotherapy phase piaget platelet positively pr precious predator preparation prescribe pride
-6 proficiency programme programs prosperity provincial pushed quartz quote rainforest reaches readings reagan rebuild
-6 receptors recognized reformed refrigerator regularization relates relativity released relieve requirement
-6 respirations restructuring retired risky ritual ronald roosevelt ruined russell salesman schizophrenia scholars
-6 secretly secured semi sensations seventy sew shareholders shattered shoe sings sisters situated skateboard slice
-6 soap societal sociological solutes soviets span spirits spontaneously statements stir stocks stone stores stresses
-6 string studied studying subjective substitute succeed suffix supplements support surrounding surroundings survival
-6 sway symbiotic systematically tape targeted targeting taxation teenager terminate terrestrial theology thing thrown
-6 traditionally translational translocation transported traumatic treadmill trend trials tribute turkey unchangeable
-6 uncomplicated united universe unusual urticaria valve veins verbal virtuous voluntarily vulnerable waiting wake
-6 warning whales wins witness worst yourself
-5 accounts addressed adjusts advertisements alice alley altitude apple applicable appraisal approached approve arises
-5 armed arousal arrives assumes assure attract attractiveness attracts australia austria axon backseat bacterium
-5 balls bargaining bell beneficial bentham bilaterally binding blind blindness blow bourgeois braid brass buckingham
-5 bulb businessmen calendar calm captured car carl cellulose challenges charging civilized colder comb combines
-5 complaints concepts concert concrete constitutes consumes contributions convention convex correlated corresponding
-5 counsel couples creator crises currents customers dancing daylight daytime declares declined declining definitely
-5 demographics describing description destiny devour diaphragm dielectric disappeared disaster discipline dislike
-5 disregard divisions domain dominate drastic drinking driven driving drunk easy ecg edge elemental elite embedded
-5 encountered enhancer enlargement entrance epic erythema erythromycin evaluate exchanged experiments exponentially
-5 extending extensive fairness familiar farming favors february federalism fifteen fish fishing flight flip flu
-5 frozen fulfill funds gate generations genetics glory glove goldfish greece guards gum habituation hasn hemorrhage
-5 hero heterozygous hg hired historian hockey huntington hurricanes hybrid hydrochlorothiazide hyperthermia
-5 hypothyroidism implications indices indirectly industry infant infect inflammatory initiative innovation insist
-5 insofar instinct integrated intelligent intended interpreting irrational iv jersey joke judgment jumped khan korean
-5 lace laplace latitude lava led legitimate lifespan limb lincoln loyalty lumbar lymphatic mandated mandatory
-5 manifesto manufacturing marrow marx mature meaningful migrate milliliters monopolies multicellular neighboring
-5 neutrophils new newspaper newspapers nozzle numbness once onset opponents para parietal pea peeler peers pencil
-5 perceive periphery philosopher photo pitch plaster plato poisonous polar possess possesses prevented priests
-5 primates procedures producers professionals programming projection protecting protects publics puff purely purple
-5 quantity rains reacting recognition recognizing recurrent reducing reflect reflecting reform refuse regimes
-5 registered reject rejected relevant relied relocation remembered rented replicate reservoir reside resilience
-5 resolved reversal rink rise rises rivals roast rocket saline samuel scooter seasons seed segmented selection
-5 sentences sessions setting shuffle signs silk site sle smear smile socially socioeconomic soda sp speciation spinal
-5 sports square sterile steroids storing stove stroll stuff submit suffer suggestion sullen sunshine supervision
-5 supplies surrender susan swallow swing symbolic systolic tablet talents taught teach terminals testify thereof
-5 titration topic tottering town trait transparency trap treating troops tropical twin tympanic undertake unusually
-5 updates upon urinalysis usa vaccination vagina van venture verification wallet warming washer weber whatis white
-5 william wings wounds writers α
-4 absorbing accidentally accordingly accounted achieving acquire adherence advances advancing afternoon alteration
-4 alternatives although amine analgesic angry antibodies aquatic argon asexually asia assistant assurance assured
-4 attending attractive balloons barter basal basket basketball battuta beaker became beloved bishop bladder bliss
-4 border bounce brick bride bromide bubbles buys cain camouflage capitalism capitalized caps capture carbohydrate
-4 career careless carriers cars centered centuries cervix chat civilizations click climatic clustering cohesion coin
-4 collar colonialism colour companion compose condensed conformity confrontation constructs corporations corpus
-4 costume couch covered crack criterion crossing crushed cupcake customs darkness darwin declines deer deficit
-4 deprived descendants descriptions destroy destructive detection deter devil di diploid discredited discussion dish
-4 disposal disputes distract diversity dominated dominican dormant duchenne duplicate dust eats egyptian electrolyte
-4 electronic elsewhere emissions emphasis empirical encouragement enzymatic equally equity escherichia esophageal
-4 essentially establishment estates estimation everyone examined exertion extended extracted eye eyelash failures
-4 fashioned fathers fellows fetus fight finland fitness flattened folly gambling garage generate generating geography
-4 geopolitical gestation glorious gm gong governance grammar guns hadn harness harsh harvesting hatred hiring hm
-4 honorably humanistic hung hydrolysis ignoring immigration impairments imperial implementing importance imposed
-4 imprinting inactive induration inferences injure injured injurious insufficient intact intense intrinsic
-4 introducing isolate italian jaw jerry jerusalem joy judges juice jurisdiction kindly kinds kissed kpa lactate
-4 latent leagues lean leaning loans locke lord losses lunar magazines mankind mascara mason maximized mayor mentally
-4 mitosis mongol monitoring monkeys motivated motive mucosa multiple music neurologic neurons newborn nocturnal
-4 nonproductive nothing objects observes obsolete occupy officer ongoing oppression outdated outputs outward parade
-4 participates passion pathway peroxide photosynthetic plain planned platform poets policymakers politics polluted
-4 polynomials pools positions positivist possession potato predation predisposition principal produced producer
-4 profitable profound programmed projected projective psychosis pupils purify purse quiet quotation racial raised
-4 rawls reactance realizes reception reduce reduced reflects reflex regenerate reinforce repeat repeated reserves
-4 reunited revolutionary rheumatoid rivers robbed rock roller rome safety sahara sea seats sees serves shade sicily
-4 simple sinus situational sleigh sliding sore sounds spectrometry spends spores stages stands stanford station
-4 stationary stem sternal stevenson stool stops str strawberries strings sucrose sunk suspend swift synthesize tears
-4 technologies teenagers tendencies territorial tidal tight tiny traced tract transfusion trash travel travelers
-4 tricep tries trim trip troubles truly turkish unacceptable undergoing undergone unethical unite universally upright
-4 utilities vacation variance views visited volcanoes vomit wage walks wednesday weighed whatsoever wider wildlife
-4 willing wisdom worlds worldwide worsening y ye β
-3 about abroad admitted adopts advantages agency agents agricultural aims alert alignment allopatric amoxicillin
-3 analytical anarchy ankle apartment applicants armies asthma august aureus automatic b bands belongs besides bid
-3 blowing blown bombardment bored box brighter brings british brothers bucket budget calcium campaign caravans
-3 carcinoma catheter cattle caught causal centigrade ceo changed charity church cigarettes clarity cleared clients
-3 collaboration colleague comprehend compromising confusion constructing consultant contextual contraceptive
-3 corrected criminals culturally cure cured dance dates decides decreased deeply defeat defend departments departure
-3 depend dependency depending desensitization difficult disclose discovers dispersed dispute disunity divers divide
-3 dozens drawing drew dunk dynamics dystrophy edema elders eliminated emits emperor endeavor enemies enforced engages
-3 engaging enumerate epoch equivalence escalation evaluated examinations exchanges exercises experimentation faire
-3 fall fallacy fan finance finds finest flexible foreigners forever franklin freedom freezes french friedrich gametes
-3 gates gcd govern governmental governments gradient granting grouping gut h2 hay head hearts heavenly highest hills
-3 hindered household idx illusion images imaginary imperialism improper incentives incorrectly indicated indicator
-3 individualism infancy inhaled inhibitor initiatives inorganic inserted insight insoluble intent interested
-3 interface interstate investigate investigations involved irritable its jim job ketone laborers lag laissez landed
-3 latest laughter learns learnt lesions lesson lethal licensing literally literate loaned lst luther manipulation
-3 markings mate maturity maybe mellitus meningitis methane method microscopic mile ming mining moderately modes
-3 modifications natives neck need nodes nomadic nontender notes offices opening opens organized paddle pages passing
-3 peak peptide permits petition photons picks pizza plans polygenic polygon porous portable portions prayed
-3 prednisone prepares prevalent priest processed productive prokaryotes proliferation puzzles quo randomized re
-3 reactants reactions reactor realizing recognised redistribution reformation rent resemble resonance respondents
-3 restore retail retaining retrieval reunion revenues reverend riding roughly russians sacrificed sail salinity sam
-3 sang satisfies scales scr searching seated sector secure securing securitizing seizing selectively set sharing
-3 shift shine simpler singe slavery smiled socialism software solar souls spectacle sperm spoken springs st1 stable
-3 staphylococcus stiffness stimulation storms strengthening stretching strongly subjects successors suffered suited
-3 surgical swelling swim symmetric sympathetic synthetic tables tail tale teams temporal territory tertiary
-3 textquotedblright texture thank thanks thighs threaten thrombosis ticket till toluene touching transduction
-3 transferred transition transmits treatment trick truths turner twelve ugly undermine understood unfavorable
-3 unnecessary urgency uterine vacuum vaporization very victories victory village villages vocabulary volunteer
-3 voyages walking watson weeks welcome weld wholesalers wing winners workmen worn yours
-2 abolition abuses accordance account accumulated ace actual adapting administrative admission admit advanced
-2 adversary albumin alien aligned alike allergy aloud alters ammonia anal analytic anscombe antibody aorta apples
-2 appointed approaching arbitration arise atmospheric attachment battery bce behavioural belief benign bertrand bike
-2 bills bite blanket blocks blows bob borrowing bunch burger byzantines ca canal candle captives catharsis catholic
-2 cereal cerebrospinal certainly characterizes checked chem chemotherapy christopher chromosomal clergy clip
-2 collusion colon colonized comparative compelled competing complained complexity conceived conceiving consciousness
-2 consequence constants constructive contain contains contractions coronary corporate corticosteroid coupon cowboy
-2 crops crystals cyclic dangers dedicated defendant degradation deliberate depicts desire detail devoted dew diamond
-2 dies digital dignities dipole disagreements disasters discharged discloses discovering dispersion dissatisfaction
-2 dividing divorced doctors documents domination downward drum dynasty early earned efforts egypt einstein elastic
-2 elevated elevator embodied embolism emerges enabled engage enjoys enters entities era escape essay eta excerpted
-2 expectations expended experts explanation exploring face fahrenheit fail family fat feathers filters fireplace
-2 fires fix flying forwards friction fringe functioning fundamentally gaseous gathered gaussian gel generalized
-2 generous gentlemen genuine geographic goalie goodwill grant guide guy gym habit hamburger hangzhou hardships have
-2 hearing heir heritage hey hinder hindus historians hitherto honor hunt ibuprofen identities ideological ideologies
-2 impairment improvement inadequate inconsistent incumbent indians indifferent induces influential inherently
-2 initiated initiation inlet innumerable insertion insufficiency intercourse intergovernmental international
-2 intolerance inventions io judicial just khans kwame license linearly linguistic lip loads lords lorenzo mach magic
-2 manuel marital massage matches medication medici micro misery misstatements mm3 molten moore motorcycle mower
-2 namely nanak nice nkrumah nobody normative november nuclear occurred ohms one operations opposing ore outdoor
-2 outdoors outer overly painting pale palpitations pen penicillin photos pilot please pleased polish posits possibly
-2 potentially practical preliminary preservation professional promise promoting prompted proposition psychiatrist
-2 publishing pulling radiating ramp rare realistic reasoning recommended redress reduction reforms refused regulates
-2 relate remarkable remember rendering repair repression request rescue reviewing rhonchi richest rip rounds route
-2 sad sadness saturation saturday saved scan scared scene scripture secreted seeds seem seldom selected sensitive
-2 serfdom severely shaping sharply ships shouted show shy sick sickness sides sight singing ski slaves speaking
-2 specialization specification spectra sponsored sqrt stabilization statistically steve stools straight strain
-2 strains stranger streets stressors stretch strictly strikes struck suffrage super superior supports surgery surplus
-2 sustain swollen symbols synaptic tartar tasks tastes teachers teammate temperatures therapists tingling tomato took
-2 tooth toss toxin tracks transform trapped treatments tremble triangular triggers trouble tubes turks tyranny
-2 uncertain uncomfortable unfair unhealthy unicycle unilateral uppercase utilitarianism valence valuable varieties
-2 verse vertex violated vladimir voices waited war warnings watched watches watermelon wavelengths wedding western
-2 whenever whereof whistle wilson wine wool worthy wound writes yeast yoga yz
-1 accelerate accommodation accompanied accomplish accord accreted acetic acquisition ad addressing adjustment advisor
-1 africans afterwards ago albert alleles alone analysts antenna antibiotic anyway anywhere approval arbitrary arthur
-1 articles arts asking assignment atlantic attracted auditory authorities aversive banking barometric barr baskets
-1 belt bestowed binary blocking bone boundaries breach breasts breathe brightness brush candidate capillary
-1 cardiovascular carried categorical celebrated centimeters chills cicero civil cleft closet collections colonization
-1 columbus committed comparable complain conceptions conceptualization confidentiality consistently consolidation
-1 constipation constituents contest continual contraception convection convective cooperative crackles crash creates
-1 ct cubes cues daily db decomposition defined definition definitive delivery dimensional disabilities discover
-1 discoveries disintegration disturbed drainage dramatic eeg elbow elections electrostatic elicits embrace empty
-1 endoscopic engineers enjoyable enjoying enrich entertain episodes equitable errors evident exacerbated exciting
-1 expensive expertise extension extremity fairly falling famous fans fatty favored favoured feels femoral
-1 fermentation finally flows fm founded fragmentation frequencies frog fun galaxy gallon genomes genotype germany
-1 glance gland globe graduate grandmother gravida gross guilt haemophilus happening harms hastened headed healthier
-1 hello hindrance hitting hobbes holds holes homework hormonal ideology impulse inaccurate indian indigenous inert
-1 ingenious inherited inhibits insecure instantaneous institutions instruments intention inter interventions
-1 introduced introduction introns invest investigator investors ion irregular is itself judge justified kilometers
-1 knock krebs lazy leap legally lenin letter likewise limit locked loses lottery loves loving manufactures marked
-1 markedly markers masters medieval mention mercantilism minister ministers missed monitored motives musk
-1 negotiations neutrality notion obligated obstructive obvious occult office officers officials ordinarily packages
-1 panic papers parks particularly passages passed patients patriotism peace peasants peculiar peoples percentile
-1 perhaps permeability personally photon pile pious poisson portion portugal possessed possessions poverty preceding
-1 prediction predicts preference presentation prevention processing produces protests protracted proves provided
-1 provides puzzle pyruvate quarters quit ralph reactant ready recovering redemption reference refuses rejects
-1 represent reprinted requests resistivity rid roads robust roommate rough ruins rules runner saturn saw scalar
-1 secretary seemed seizure sequentially settlements shall shed shoulder si sickle skinner slide smoked snow soldiers
-1 sorry southeast spark speak stability stagnation stalin staying stick stirred stories stp strategic struggles
-1 substance successor sufficiently suggested supporting suppression surprising suspension swallowed tactical tear
-1 telling territories that thorough thread threat threatened threatens throat tigers tightly tolerate towels track
-1 traffic transactions transmit transmitted tuesday umbrella unremarkable unresolved urgent urination users usually
-1 valuation variants vein vernacular visiting visits void volt volumetric voluntary vomiting wares warriors wechsler
-1 weekends where windows wise withdraw wmd xaxis yaxis years yolk york
1 acid acknowledged adp agree ah allies alternating alternative ammonium amongst analyzed andrew annoyed ap apex
1 apparently approx arrival arrow art arterial asian aspirations assembled attractions audiences auditing avoid
1 avoidant barium bartender bartered bartholomew batch bath bathing bathroom beat beautiful beneficence bert biased
1 billions biopsy bloom boom bows boyfriend bringing bull campaigns carrack castle cents certainty characterize cheap
1 cleaner clouds coercion coherent coli come comment commercial compelling compensate competitor complete compress
1 condemn conditioning conducting conferred conquered constantinople constructivist consult consultation contributor
1 converges cooler correlational courses covariance cricketer critics curve dad dealer decisive declared decomposed
1 defining degraded delay demanding denial deny derived desert desirous detrimental dfrac differently diluted ding
1 discomfort displaced dissolve divine dopamine drain drama duty ears eaten editor ejected electrode eliciting em
1 embryo emergency emotions enforcement entitled epistasis erythematous escaped ethically ethylene exceedingly excess
1 exempt experiencing explorer extend extent extra extraordinary faces facie facilitate facing fig files filling fins
1 flash floor fly focusing formal fourier freed freezing fur galileo gear generalization gentle geq germans glad goat
1 graffiti gregory happiness harbor harder hardly hardware hart heats herself holiday hoop hot humble hypotheses id
1 implemented implies includes indeed infinite inflict ingredients inspiration instant integrate interpretations ir
1 ischemic issuance jaina jewelry jones joseph justification kings kite lab labour las lateral launched legs lesion
1 lifo limbs lithium located looks lowered lt luck lung mailed manufacture mathbb mc meal meals measles meetings
1 memoirs messages met mild minor mitigate mmhg mobile modification modulation monarchy monitor monthly mutant
1 narrative nasal nationalist nebula necessarily nests night noticeable occasional occupying offensive oneself operate
1 operating opponent opportunities optimum orbiting oxidative oximetry pacific pardon parliament part pawned pencils
1 penetrate persian persuasive plasmid playground pleasant pm pneumonia poet pointed popularity porcelain portrait
1 potassium practically predicting prelude premature prevailing prima princes proceed progress projects propagation
1 prosperous quebec quicksilver radiator reading reagents refined reflected reflection reflexes reflux refugees
1 relatives relief remedy removal renaissance reserve reservoirs resolve responding responsibilities retailer rgb ripe
1 road rolls rooted ross rub rule running s2 salt scant school seasonal segregation selling sexes shadow shares
1 shivering shorter sir sixteenth slip slowly smith smoke sorrow spare specimen splitlines sponsorship sq startswith
1 storm strengthens stressor strict subdivided subordinates substantial substitution successfully sue sunday surely
1 surfaces surprise survived surviving sustainability sweet swell symptom synthesized talked tap teacher teeth
1 terrorists textasteriskcentered theoretical thereupon threatening tolerance tone tourist tournament traded
1 transformer transient trigger tunnel tyrants undermining unpaid unpredictable unsuccessful uterus vapour vast vec
1 vest virtually virtue voted wanted warned waterfall weekly withdrawn wore worse worthwhile xyz yi you
2 abandoned absorbed academic acceleration acceptance accepts accrual acetaminophen adds adiabatic advocacy ae alive
2 almost amu andthe animal appertaining assault asteroid astronomical atmospheres atrophy attained attendance authors
2 autumn aware awareness azithromycin baker batter beg behalf blend bloody borrow borrowed bracket brazilian broadcast
2 burgess buried burned calculations candidates cannon cards casualties ceased centred chamber change cheaper cheer
2 chosen christian cigarette clap clapped clinical closing collects commit commitments compares compensation
2 compliance compounded concave concentrated concurrent conditions conductivity confucian congruent constitute cook
2 coordinates correctly corruption coughing counteract cover credit critique crude dangerous dawn dec decrees deeper
2 deficits degree delivers denies depreciated descent destroying detector diarrhea dice diffraction diffuses dimethyl
2 dis discusses distinctive distress donate douglas drops duct dutch ear earliest earthquake eighteenth elements
2 elevation enabling enacted encodes engagement ensuring ethanol everybody excerpt excitement excluding exhaust
2 expedient expired fails famine favorable favour fe feminist fifo flame flesh flies folk forgot frames fusion gaps
2 gauge gifts girl gr greatly grey grounded hand handed happily happy himself historic hole holidays hunter
2 illuminated immigrants imperative inclined incomes increasingly industrialization infrastructural ing innocent
2 insecurity insistent institutional interfere investor ionic isotope joules judiciary junction kiss lamp lawful legal
2 lets liberty linkage listened logarithm loudly lymphocyte magnificence manipulative manual marginal marriage massive
2 matching measurable melted metronidazole mighty miller misfortune model monarchs monday monoxide mothers museum nadh
2 necessity neglect nitric noon nucleons numerical obsessive occasions oranges organic overweight owing pact parfit
2 partnership peas penalties people perpetrators persistently picture pig placed planes portfolio ports portuguese
2 positioned pour prime promised propensity proved psig psychiatric publication pulse putting pv questioning radio
2 react readers realm reasonable register relations remote rendered republics residential resistant respiratory
2 restaurant restrict routes sacred sake sally satellite satisfied scheduled scrap seize sentence seriously sim
2 simultaneous sodium spacing spiral stabilize stakeholders struggle struggling study succession suicidal sulfate
2 sulfuric superiority sure tag takers taste tensions terrorism testing theorists thermometer thicker thinks thursday
2 toes trachea tracking trained tranquility transformed tree trucks turbulent unified uniformly updated utilize
2 variable vector velocities verify versailles viral visitors votes website week wheel whereby wire witha wouldn
2 wrongs xi xy younger zinc
3 aa abstain accepting accomplished affective afford ahead already antigen appearing aromatic asleep asserted
3 assimilation astronomers attenuation australian authorized autonomy average axial backward badly balances baseline
3 bat beans becoming beside bigger bombarded br2 broglie burns caco capability care cat challenging chemical choosing
3 chopped churches cis citizen claimed classroom coding codon coils collect collective columns competence
3 complementary completes compound concerning confirms connections considers consolidate continuity cotton crop crying
3 cycles cytoplasmic data dealt deck declare decree dedication defect delayed delivering design desirable destination
3 determinethe dignity distinctions distributed dominant downstream draft emission emit empire empiricism enable entry
3 erasmus establishments exceed exceeding existential exons exothermic expensed expiratory extract f1 facial fastest
3 favourable fence fetal fighting florida flowing fluctuating fps fractions frictionless functions furthermore garment
3 gibbon gilded gilgamesh granted grass greatness grown guarantees h3o h3po4 handle headaches heads hereditary herpes
3 hexane hopes horsepower hostile hypothesis ia illegally illicit immersed implementation implied inch indies indirect
3 infants infected inflated initiate instance intervals inward isothermally ivory joint kant kt l1 laser latin leeds
3 liberated liked lipid lipids living logistic lose lump magazine mail make malaria married matched max mecca medial
3 menstrual merits meters mexican mi minimal mixing modulated moments mounted mph multi mum mystery nearer neighbor
3 neq network networking nose noticed nowadays nucleon nucleus obligate older operators optic organ outfit overlooks
3 parabola particles penalty penny performed permitting perspectives pertussis phenomena phenotypes pictures piston
3 pmatrix po poem pointing posed posture practitioner praise progressively prominence promotions prone proportions
3 proposes psychotic publicly punished purity racing radium realists reality receipts referral relieved repeatedly
3 repressor requested residual respect restaurants revealed rivalry romantic sanctions sarah satellites sedan senior
3 session shakespeare sheep shifts shut siblings signed sincere singers sixty skull slight sock socrates sole soon
3 steady stellar stole stood suicide synthase t1 talented targets terribly terrorist textbullet the thence thrust
3 times titrated tour transcriptase ultimate ultimately unaware universal universities unpaired upward urethral
3 ventricular victoria victorious volts wandering wang warfare warmer warranty west wishes writings wrote yesterday
3 youth
4 according achievements acquiring addicted admits ag alarm also aluminum analyses angles anhydride anything aortic
4 aren aristotle aspect attempting backwards barely bayes bd biology birthday borders brushes calling camping cast
4 chance channel chess choice classic cliff clothes complications conceptual condensing consequently consisted
4 continues controversy cooled coping copyright correspond correspondence corrupting could counting cr critically
4 crossed curves custom cyber dated densities deposition designated desired details diagram dialectical diffusivity
4 disadvantage disc disclosed doublet drag drove duke duplication dynes easily egoism elderly electric enclosed
4 endangered estimates etc evacuated excellent exhibit exposures expressions exterior extracellular e° facility factor
4 far faucet ferdinand filed finals focused forms foundations fractures frank furnace gaap gap gift goddess grade
4 heater heavens heights hepatitis heroin hollow humanity hunger ignores im imagine inclination incomplete increasing
4 india inference inhabitants inhibit intensities interpreted ions isothermal judging l2 lifted loading locus losing
4 lucky mapped marbles master match matrices meanings merchandise merge meter metternich mid mildly modeling monk mr
4 muf nausea navy needed negligence negotiating neptune neurotransmitter nine ninety nobility noted observe
4 operational origin outlet outset ovarian overlap pack palpable palsy partly paul pd performing periods permitted
4 philosophers physicians pineapple pit placement pmod pocket polarized problematic proud psychodynamic puncture puts
4 quarterly radicals rats reagent recession referent regards regimen rejecting remained remission replacing
4 resolutions resulted retain retrograde rising rotor royal rubber scattered science scott secondly senses shaded
4 shipping significantly smart soluble spaced spaniards specify stenosis story stronger structured substantive
4 substituted surd suspended sympatric technically textphi theft themes theorem thigh ties tin tip tired tolerated
4 torque transcription traveled twentieth unequal uniform urinary vengeance vessel vibrational vietnam view vinegar
4 volleyball wall warn watch we wheat whilst widely winds wolves wrapped zeros
5 abc accused adoption adverse aerobic agcl agenda anemia aqueous area attain balanced bandwidth beach beck bent boats
5 boltzmann bulk burden calculation canadian carry catastrophic chapter cheese chloride cited claiming clay clock
5 collapse com con concentric conducts confederation congenital consensus consolidated constituent construction
5 contrast conventional conversation convertible corn correlation coulombs cs curvature dataset defensive department
5 developments dilute diplomatic disagreement discussed dissolution driver dt dug earlier earn elephant elimination
5 ell enlarged equality equivalents eradicated ex exactly exam examine excerpts exert exits explicitly extinction
5 fearful fellow female fifths flint fluoride fork formulation fringes fundamental gallons gestalt guarantee guard
5 h2so4 haploid heavy hemisphere hi hidden homozygous horizontal howard hrs hundredth imaging immunity implicit
5 incorporation induction insects installments interacting interpersonal intersects interviews iq iraq jan jump
5 jupiter knowing kx lady lagging laid largely latter lever licensed lighting links listening manager merit mev mj
5 mrna myself negligible nest neuron neutralize nonlinear northeast numeric nurse observations operates orange
5 oscillation osmotic otherwise overproduction page paid pathology peanuts physics pin places plains plenty predictor
5 predispositions prenatal pressed prism produce prokaryotic prominent prototype proven publish purpose questioned
5 rank ray reconciliation reign represents restraint retardation rev rhine rigid ring rolled roof sacrifice saharan
5 sausage scattering secret serial sex shopping singlet sink sits slots slugs spaces spent spirit spots substantially
5 summary surprised surveillance surveys susceptible synchronous tank tau tea terror theatre thirds thirty tobacco
5 tomorrow touched transitions treats tundra typical unethically unfortunately unhappy unreasonable upheld vaccines
5 vibration victims weather won writing yin Δh
6 accidents acidic adaptation additionally aesthetic airplane allele alliances allowance ambient anaerobic applying
6 approved arrangements arrested asset atomic au awake balance bank beaten before biases broadening byzantine cabinet
6 calorimeter camel capitalize carefully charge checking chemistry chips chooses circumstance civilian cloth coast
6 coating colombia colonies compact compulsive confused connecting cookies cooking correct costly counseling cpa
6 criticism daniel dear decays detectable diary dining diopters dir discrete disorganized displacement distant
6 duplicates dye ed effectively ego emissivity encouraged eruption estate executing exhausted exhibits exp expectation
6 expenditure expenses extremely failure figures filament filled fin flawed followers fontsize geometry glasses golfer
6 graciously grandparents guarding guitar halloween heavily highly highway hire holding illustrates implement
6 improvements incompetent incur indicating induce insulation internally ireland islower item jackson jane jars jews
6 jurisprudence ka killed leather lips liquids listen liters locations loss louis makers margin meat merely metals min
6 miss motion mutual nail naphthalene neurological normalization north official operant oppressed package partners
6 pattern pcr pelvis personalities pets phones pigment placebo plate plot positron posts predictable probable problems
6 progeny promoter psia pt pulls pump rearrangement rebound recognizes recover refractive regurgitation relation
6 rental replication representative respective reynolds risks roll roots sat scheme scope sections securitized shear
6 showing sign since sinks slug solved spins splitting spontaneous stations stressed strip stuck suit summer
6 superficial teff tire tnc toothbrush tore toxins transactional transit transnational triple unchanged unclear usual
6 varying vigorous vitro vocal waals warrant web which woke wonderful world yl youngest
7 academy accident advised aggregate aim amazing ambiguous analogous anonymous anticipated anymore appointment argued
7 ascending assertion associate auditor austin avoiding bad band beneficiary bohemia bonus boots brown buildings
7 calculator calls cambridge camp cannula captain century ceremony chains charles chlorine circuit clean coloring
7 column compresses conclude confirmation constitutions construct constructivism contracts copper cops correction
7 coverage covers cp crimes cycle dancers deductions determinant diatomic dic diplomacy dishes dismay dividends doubt
7 dr dull effective emergent employ employs ends envelope ethane ethyl every excluded expiration facilitates falls
7 farmers flux forget fractional friday frustration gathering generator golf granny grilled grip halved hbr homologous
7 hydrochloric infrequently instances institutes invited kaiser killer kitten kiwis ladies laminar lbm lenses
7 lethargic loan log louder maximizes mere metric mineral mount municipal naive no2 normalized notices nursing outside
7 overall pandemic panel partial passengers payments payroll perfectly persuasion phi placing poles poll pollen
7 possibility prague precipitated predictive propane pulley pyramid quantities races rated recorded rectangular
7 refracting regime rejection representations retained returning rightleftharpoons rob roses rotates rouse rv salaries
7 salvation sampling satisfactory saxophonist says schemes scholarship senators september shell shelter shooting short
7 showed size smaller snatch solute sought specifically spite spoke spray stamps stayed supervisor sweating talking
7 texttheta thar timing tion toilet tools transaction treasury turnover upstream useless victim wear wearing weigh
7 williams wt xmax xmin ymax ymin ѵ
8 ac accompanying achieved acyclovir after alterations americas analogy append appetite applies aquinas arrest asked
8 assert audited barrel boat bomb bottles buses calculated california chromatids chronic classified closest coffee
8 compilation comprise confidential confined consisting constituted constraints consulting contemporary converging
8 costs criticized cry cubic cumulative da damages debt defence deposited detected device disappears disruption
8 dissolving distilled doses dozen draws drill dropping dynamic earns edward electrons entered erg ev everyday
8 executed exerts expands explosion externally fair fashion fee females filldraw financial flat flowers follows
8 forward fracture frederick freeze grace grasp green haven hf holland households hydrocarbon incision inevitable
8 injuries innocence inside intermolecular isolation kv labeled laboratory latex laundry litigation longest magnesium
8 maintained majesty major mall mangos mathematical meaning microwave modulus moved mud musician native nested node
8 novel nucleotide numbers obeys observational oppose opposed overwhelmed owner oxford parameter paramount peach
8 percussion phases precipitate predict preferred premium privilege productivity profession publisher queen rabbit rad
8 rating realism recall refraction regarded relativistic rely resistor resting romance runs saturated seek sent septal
8 sets shallow shelf simon sizes spanish starving stated stretched suv symbol terminal thermodynamic tons toys
8 trapezoid unity uv volume volunteers vs wait wooden
9 abdominal abnormality abundance accumulate adding adhere allergic annual anxious assembly asymmetric attribution
9 babies banana bench biome bird bohr boss cake capacities ci circumference codominance collaborative compensated
9 conductors congo considered container cooperation counselor coupling coupons cylinder deciduous deltae denotes
9 detect diabetes diagnosis dimension displays div dorsal effusion emerge energies english ergs ethnic evidence
9 exception exposed external firstly floating flutist forests formally forty fund gauthier genotypes giant globulin
9 graduation grapes guidance harvest hc helpful hence hits holy hostility hurricane identity ignore iint included
9 induced installment interferon isomers joe kw laughing lee lim liter manufactured mice minivan mode mortgage motor
9 multiplication multiplied mutation n2 narrow neo newly nitrate nnp observer operation ought ounce palpation parallel
9 peaks pelvic pennsylvania periodic phosphorus players polarity poured progression prove ps purchase quantum quietly
9 reciprocal recognize removing reputation requirements revolution salad scored simplest solvent southern stopping
9 strangers systematic taxpayer tender tenth thomas tickets tires trust tuberculosis vert video violinist vowels
9 washing while written yielded
10 administered appreciated arranged assistance attached author axis bars beer behave bonds busy candy chemically
10 circles civilization clinic coercive coil commonwealth compressed conclusions condensation conducted confirmed
10 conquest considering constructed constructivists continent cooked corp coupled create crime crossover cups
10 defecation defects deg depreciation diet dissonance doesn dollar drug dual ecosystems elites emf engineer entity
10 exceeds expects extensively favor fees formidable funeral gal gardens globalized group help henry hide
10 homosexuality hypothetical inches integrity inversion kcl lasting lifetime limitation ls mainland melting membranes
10 mercenaries million mixed monoprotic mysteries neighbors networks ni none nucleotides occupied offers operator
10 optical orbital orientation outstanding payment peacekeeping phosphorylation pipe pleasure protestant pursuit
10 rarely reader recommends relating removed resultant reversible securities security signals soccer sovereign special
10 spheres spinning steam strike supermarket tan temperatureof tied torr travelling trial trying valued venus
10 viscosity watts winter xz
11 absent accepted adjusted adjusting agrees angeles antivirals ar argues baby ball butterfly cameras cent ch4 charged
11 charges chocolate circle classifiers cocaine collision combining combustion comprehensive configuration continuous
11 contributed damping dashed decline decomposes deduct defaultpen deliberately demonstrating described diagnosed
11 disclosure distances doubles electronegativity empirically enrolled entropy expenditures experiment fantasy figure
11 fittest format formula ghz giving graphs gun half homes horses hourly ii ill incident infections installed invented
11 keeper kinetic knife kva lamps leaders leaf li lily linear literal loafers lowercase machinery margins matters
11 midpoints minus modified mosquitoes nuclei october ol operated orbits packed permission phone pieces pine plague
11 poorest pounds ppm prescribed prescription previous proceeds proximity punishment quadrant ranging rangle
11 recombination refund regex relaxed reports rightleftarrows rose saint satisfying sealed seventeenth shame shoot
11 stock studies sun supplied swimmer taiga techniques television tension theme then thousand thousands ticks txt
11 unitsize unsimplified until valley versus worm zn
12 accurately assigned award balancing behaviour boundary bullied cacl2 cellist chicago chromium claim cohort colors
12 conditional corner creatures crowded de decay decimals deliver dense deterrence echo ellipse enemy failed file
12 finished formation fritz gave helium hope hydroxide isolated jointly kim lap laughed lift magnitude measured
12 measurements mechanistic mod moderate naughty negatively nights nor optimal originally overline phenotype pianist
12 powder practitioners probabilities problem published pursue radii rc reacts recording referring ripped screening
12 segment silver sorted sums turns underground unrealized waiver water withdrawal
13 accountant add addition aggressively americans aperture appear assign careful converge cope criminal cu decimal del
13 deletion died disk east expanded eyes fields gains game genome harmonic hint hiv homeostasis hyperfine insisted
13 iterations liable listed ljust longer los machine masses medicine melbourne meta multiples nazi nh nh3 occupies ohm
13 originated par pb permissible pka ppp prince promises province quad recently reply republic rest reversed room
13 rotating rotational rsplit s shunt smooth stamp triplet uncertainty wild xx yields
14 abcdef absolutely accept application baseball beads begins broke buff butler capacitor committing completed complex
14 compression conclusion conversion convolution craft crown cut decreasing disability dm eating epsilon eternal euler
14 exerted fabric fanatic fiction flask forming fried gibbs housing hungry incorrect injustice integral labelled lbs
14 machines military nation nonissuer notation pa percent perfect poison pushes read relevance replacement researchers
14 residue rice robert rolling sell shot soup spaghetti spend split spring st switch telescope tested tetrahedron
14 traveling try units vertically when Å
15 academics approximation aq asks awarded beats beyond canada carnations ch3 co2 comparison computed contained
15 contribution deltah denominator der derive diagnostic diene discovered distribution drink eclipse eleven ene
15 existed explicit fill gameboy globally how hundreds impedance import inc indicate joined league manner many
15 mortality needle partner pass planted predominantly pregnant professor regular repeating replaced rotations sandals
15 scottish separately shaft should sided spectral star subjected substrate take team triples velocity weighing wolf
16 accounting acquired activation actually address arc army arrangement capita carbon causality colleagues
16 combinations constraint continuously corporation delta disabled dissolved ds endothermic enthalpy evaporation
16 favorite followed greek heels iodine issued lattice ln lunch lying mosquito na named necessary neural objectives
16 output paths percussionist pigs pragmatic present profile prospective pulled rational receive represented
16 resistance revolutions rotation rt s1 sectional segments sheets spread starts stew subsequently suddenly talks
16 taxable tulips undirected vaccine want weapon
17 actress arguments assumption big blue board boxes bridge bromine camera ceiling closer corrupt covenant daffodils
17 david discounted double drinks en england factory featured fifth five force fromkeys gained hare horse infinity
17 influenza intersection journal koh little median notice nussbaum owns paternal phenotypic radial randomly receiving
17 reporting representing rotate seven similarly spectrometer sphere suitable svm test thin vase voice wavelength
17 within
18 atoms bats believe born brother cancel classifier couple decide dependent directors dividend divisors emotion
18 enthusiast excited expansion fired horizontally hp lengths lilies ll minute opinion payable plates plus printed
18 roman side sit subset tens v vertical
19 alphabet anyone automobile battle both bounded carrier characters chemist corresponds cube days deep drinker
19 dropped emitted episode finding foyer island khz l lc magnifying mn moment mother ne nu partition reflections round
19 sales separation sister sixth subsets sum swapcase terms theater these toward triangles university yellow
20 acting added africa al appears approximate arrows bearing bottom cdots disorder dissociation distinguishable dx
20 estimate et field focal frequency gaining gray ground hour identify incidence insurance ionization iran lcm message
20 methyl neutron pluto pole pound pressure proportion rindex shoes steel target turned unlikely ve volcanic
21 amounts appeared beam but colonial cos cylindrical drawn ebola epr equations frame fruit geometric greater however
21 ideal industrial islands july lb leq lion lower medium mercury neutral obese persons receivable regularly
21 relativism score share shown taken theories trans Ω
22 actor allowed apart ate benzene bullet carries catalyst cd exact features feinberg friend full furniture gain gdp
22 girlfriend given guaranteed hold likes minutes parts reacted sized south spherical strand thick triangle weighted
22 width
23 armature black built cone consecutive counts dc father float house ignored issue lambda ldots letters liabilities
23 lost maternal members option orders rstrip seconds semantic sheet tends version voltage
24 aged circ creature date dose electron enough error interest june late lens ma march murder no3 region rfloor rope
24 satisfaction sport thickness yield
25 center despite dot dragon equals expressed hz january lfloor long magnetic males nm nw oxide parameters radical
25 ratios reach reported resulting stage subject surface tend under
26 african airport answers april bi containing december equilateral football glass hydrogen mentioned mhz normal
26 observed omega plane prefix purchased random rectangle res rpm shortest son sw tells temp th though viruses
27 achieve bouquet circular combination deviations expense him hit main ml o2 perform period print sequencing unknown
27 vapor via weight
28 additional assumed bias char closed club gamma here hexagon image kernel molar nacl ride river top undergoes upper
28 winding
29 adjacent air between ch classification coach consist cross depth helped independence instrument km maketrans mom mu
29 points prior quarter real rpartition so song tangent
30 audit away difference eight inequality infty inventory le less proton psi select translate valid wife
31 angular bed bit choose direction games kcal lives mt my pairs paper say unit weak
32 atom chars edges gives liability mass naoh prepared singer tube
33 better clue compounds inclusive insert lover metal mixture nth ordered quotient rho sec sulfur temperature title tv
34 align arrange lies net nmr order removeprefix squares
35 boiling film kj knew molecular moles months player really sep there uses
36 around bc bond differential ge heated obtained original single was who
37 base enter mm molecule moving root se separated
38 bits btu fourth income initially math mg minimum rightarrow sample six solve treated
39 commas deviation digit f interval length line linewidth non numbered remainder somewhere spin whose will
40 abcd cl coming having hcl initial occur rfind sigma
41 arithmetic cal cash distance else equilibrium section three
42 basis connected formed left musical ph schedule season
43 break current expected oh pair
44 beta deaths final momentum spectrum
45 density grid houses point relatively right ten
46 polynomial rounded were
47 dots either lines us
48 h2o table values
49 alpha and cdot if neither row satisfy strongest zero
50 distinct load particle whole
51 count g vertices
52 city country express least live
53 above four
54 below lowest obtain value
55 ft gas q
56 draw tax
57 divided
58 coefficient divisible in kg label sequence sin suppose
59 ab each
60 atm frac maximum on rate u
61 hr required
62 end standards
63 w year
64 approximately j let nearest
65 me
66 determine integers no radius
67 standard
68 integer pi positive probability
69 clearly index morally
70 fraction such
71 claims
72 note
73 begin per something
74 scenarios wrong
75 consider
76 next t
77 co
78 asy heat respectively
80 mol scenario
81 h third
82 angle len o virus
84 ordinary
85 moral
86 compute
87 for ratio ways
90 character digits
91 possible
92 equal
94 mole
95 with
96 be
100 assume assuming at calculate cm diameter e find i join k m mathrm n number p percentage r range reaction replace
100 same second solution statement text two x z
"""
"""A weight in units, then the words that have it."""
