"""Names and things that questions to the model are about."""

FILLS: dict[str, tuple[str, ...]] = {
    "place": (
        *("France", "Japan", "Brazil", "Kenya", "Canada", "Norway", "Peru", "India", "Spain"),
        *("Paris", "London", "Rome", "Berlin", "Madrid", "Cairo", "Oslo", "Vienna", "Geneva"),
        *("Texas", "Africa", "Asia", "Mars", "Egypt", "China", "Mexico", "Greece", "Chile"),
    ),
    "person": (
        *("Napoleon", "Einstein", "Mozart", "Shakespeare", "Cleopatra", "Newton", "Darwin"),
        *("Marie Curie", "Ada Lovelace", "Gandhi", "Picasso", "Beethoven", "Galileo", "Plato"),
        *("the president", "the king", "the queen", "the pope", "my neighbour", "Alan Turing"),
    ),
    "subject": (
        *("gravity", "electricity", "light", "water", "the moon", "the sun", "energy", "time"),
        *("photosynthesis", "evolution", "a black hole", "magnetism", "the brain", "blood"),
        *("climate change", "money", "love", "art", "a computer", "the internet", "music"),
    ),
    "language": (
        *("French", "German", "Spanish", "Italian", "Chinese", "Japanese", "Arabic", "Russian"),
        *("Portuguese", "Dutch", "Latin", "Greek", "Hindi", "Polish", "Swedish", "Turkish"),
    ),
    "model": (
        *("ChatGPT", "Claude", "Gemini", "Llama", "Mistral Large", "GPT", "Qwen", "DeepSeek"),
        *("Siri", "Alexa", "Grok", "Magistral", "Devstral", "a big model"),
    ),
    "name": (
        *("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas"),
        *("Karin", "Leo", "Maria", "Nina", "Oscar", "Paula", "Ruth", "Sam", "Tom", "Vera"),
    ),
    "year": tuple(str(year) for year in range(1492, 2025, 19)),
    "number": tuple(str(number) for number in range(6, 1000)),
    "factor": tuple(str(number) for number in range(2, 20)),
    "code": ("Java", "Rust", "C", "JavaScript", "Haskell", "HTML", "SQL", "Go", "PHP"),
}
