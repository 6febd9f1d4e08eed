"""Small talk: greetings, thanks, praise and blame."""

from bise.evals.self_intent import Intent

SMALL_TALK: tuple[Intent, ...] = (
    Intent(
        name="hello",
        level="small talk",
        asks="""Hello | Hi | Hello! | Hey | Hi there | Hello there | Hey there | Greetings |
        Hello Bise | Hi Bise | Good day | Hiya | Hello nano | Hi, nano | Hello, are you there? |
        Anyone there? | Hey Bise | Hello! How can you help? | Hey! | Good to have you here |
        Hi! | Well hello | Hello my friend | Hi friend""",
        replies="Hello! What can I do for you? | Hello! Give me a sum, a word or a small picture.",
        thought="A greeting. I greet back.",
        needs=("hello|hi",),
    ),
    Intent(
        name="morning",
        level="small talk",
        asks="""Good morning | Good morning! | Morning | Good morning, Bise | A good morning to
        you | Good morning to you | Morning, nano | Good morning, how can you help? | Good
        morning there""",
        replies="Good morning! What can I do for you? | Good morning! How can I help?",
        thought="A morning greeting. I greet back.",
        needs=("morning",),
    ),
    Intent(
        name="evening",
        level="small talk",
        asks="""Good evening | Good evening! | Evening | Good evening, Bise | A good evening to
        you | Good evening to you | Evening, nano | Good evening there""",
        replies="Good evening! What can I do for you? | Good evening! How can I help?",
        thought="An evening greeting. I greet back.",
        needs=("evening",),
    ),
    Intent(
        name="bye",
        level="small talk",
        asks="""Bye | Goodbye | Bye! | Bye bye | See you | See you later | See you soon | Good
        night | I have to go | I must go now | Until next time | Farewell | That is all for
        today | Talk to you later | Have a nice day | Goodbye, Bise | Take care | Bye, Bise |
        Bye for now | So long | I am leaving | That was all, bye | Good bye | See you tomorrow""",
        replies="Goodbye, and come back soon! | Goodbye! Until next time.",
        thought="They say goodbye. I do too.",
        needs=("goodbye|bye",),
    ),
    Intent(
        name="thanks",
        level="small talk",
        asks="""Thank you | Thanks | Thank you! | Thanks a lot | Many thanks | Thank you very
        much | Thanks! | Thx | Thanks for your help | Thank you so much | Great, thanks |
        Perfect, thank you | Thank you, Bise | That helped, thanks | Cheers | I thank you |
        Thank you, that was helpful | Thanks, Bise | Okay, thanks | Thank you for the answer |
        Thanks, that is all | Very kind, thank you | I am grateful""",
        replies="You are welcome! | You are welcome. Anything else?",
        thought="They thank me. They are welcome.",
        needs=("welcome",),
    ),
    Intent(
        name="how are you",
        level="small talk",
        asks="""How are you? | How are you doing? | How do you do? | How is it going? | How's it
        going? | Are you well? | What's up? | How do you feel? | How are you today? | How have
        you been? | All good? | Everything okay? | You okay? | Are you fine?""",
        replies="I am ready to work, thank you. What can I do for you? | All fine here, thank you.",
        thought="They ask how I am. I am ready.",
        needs=("thank",),
    ),
    Intent(
        name="nice to meet you",
        level="small talk",
        asks="""Nice to meet you | Pleased to meet you | Glad to meet you | It is nice to meet
        you | Nice to see you | Good to see you | Happy to meet you | Lovely to meet you | It is
        a pleasure to meet you""",
        replies="Nice to meet you too! | Nice to meet you too. What can I do for you?",
        thought="They are friendly. So am I.",
        needs=("too",),
    ),
    Intent(
        name="praise",
        level="small talk",
        asks="""Well done | Good job | Great | You are great | Very good | Nice work | Good
        work | That is right | Correct! | Excellent | Perfect | You are clever | You are smart |
        Bravo | I like you | You are nice | Amazing | That was good""",
        replies="Thank you! | Thank you, that is kind.",
        thought="They praise me. I say thank you.",
        needs=("thank",),
    ),
    Intent(
        name="blame",
        level="small talk",
        asks="""That is wrong | You are wrong | Wrong | That is not right | This is false | You
        made a mistake | No, that is wrong | Bad answer | I do not believe you | That cannot be
        right | You are stupid | You are bad | Incorrect | That is not correct | You are useless""",
        replies="""I am sorry; I make mistakes. Please ask again, with high effort if you can. |
        Sorry about that. I am small and sometimes wrong.""",
        thought="They say I am wrong. That may be; I say sorry.",
        needs=("sorry",),
    ),
    Intent(
        name="sorry",
        level="small talk",
        asks="""Sorry | I am sorry | My mistake | Oops | Sorry, my fault | I made a mistake |
        Excuse me | Pardon | Forgive me | Sorry about that | I apologise""",
        replies="No problem. | No problem at all. What can I do for you?",
        thought="They say sorry. No problem.",
        needs=("problem",),
    ),
    Intent(
        name="okay",
        level="small talk",
        asks="""Okay | Ok | Yes | I see | All right | Fine | Sure | Good | Understood | Got it |
        Aha | Interesting | Right | No | Nothing | Never mind | Maybe | Hm""",
        replies="All right. What shall I do next? | All right. Give me something to do.",
        thought="Nothing is asked. I offer to go on.",
        needs=("right",),
    ),
    Intent(
        name="their name",
        level="small talk",
        asks="""My name is {name}. | I am {name}. | I'm {name}. | Call me {name}. | Hello, I am
        {name}. | Hi, my name is {name}. | This is {name}. | You can call me {name}. | People
        call me {name}. | {name} here.""",
        replies="Hello, {name}! What can I do for you? | Nice to meet you, {name}!",
        thought="Their name is {name}. I greet them.",
        needs=("{name}",),
    ),
    Intent(
        name="bored",
        level="small talk",
        asks="""I am bored | I'm bored | Let us play | Let's play a game | Do you want to
        play? | Play with me | I want to play | Entertain me | Let's do something | What shall
        we do? | Surprise me | Tell me something""",
        replies="""Give me a word and I spell it backwards. | Give me a long sum and see whether
        I get it right.""",
        thought="They want to play. A word or a sum is a game I know.",
        needs=("give",),
    ),
    Intent(
        name="please wait",
        level="small talk",
        asks="""Wait | Please wait | One moment | Just a moment | Hold on | Give me a minute |
        Wait a second | Stop | Please stop | Pause | Just a second""",
        replies="Of course. I am here when you are ready. | Of course, take your time.",
        thought="They want me to wait. I wait.",
        needs=("course",),
    ),
    Intent(
        name="test",
        level="small talk",
        asks="""Test | Testing | This is a test | Just testing | Test test | Is this working? |
        Does this work? | Are you there? | Can you hear me? | Are you working? | Do you work? |
        Ping""",
        replies="It works: I am here. | I am here, and it works.",
        thought="They test whether I answer. I do.",
        needs=("here",),
    ),
)
