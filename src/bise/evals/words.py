"""Short, common, friendly English words for the text tasks."""

TEXT = """
able acorn air alley amber angel ant apple apron arch arm arrow ash aunt autumn axe baby back
bag baker ball banana band bank barn basin basket bath beach bean bear bed bee bell belt bench
berry bike birch bird biscuit black blanket blue board boat bone book boot bottle bowl box boy
branch brave bread brick bridge bright broom brother brown brush bucket bus bush butter button
cabin cake calm camel camera candle cap car card carpet carrot cart castle cat cave chair
chalk cheese cherry chess chest chick child church circle city class clay clean clock cloth
cloud clover coat coffee coin comb cook cool copper corn corner cotton cow crab cream crow
crown cup curtain daisy dance dawn day deer desk dew dinner dish dog doll door dot dove dragon
dream dress drum duck dust eagle ear early earth east egg elbow elm engine eye face fair
family farm feather fence fern field fig finger fire fish flag flame flower flute fog foot
forest fork fox frame fresh friend frog fruit full garden garlic gate gentle giant gift ginger
girl glass glove goat gold good goose grain grape grass gravel green grey guitar hair hammer
hand happy harbor hare harp hat hawk hay hazel heart hedge helmet hen herb hill hive honey
hood hook horn horse hotel house ice ink iron island ivy jacket jam jar jewel juice jump
jungle kettle key kind king kitchen kite kitten knee knife lace ladder lake lamb lamp lane
large lark lawn leaf leather lemon letter light lily lime lion list little lizard lock log
long loud lunch map maple marble march market mask meadow melon milk mill mint mirror mist
mitten monkey moon morning moss moth mother mountain mouse mouth mud mug music nail name neck
needle nest net new night nine noise north nose note nurse nut oak oar oat ocean olive onion
open orange orchid otter oven owl paint pan panda paper park parrot path pea peach pear pebble
pen pencil penny pepper piano picture pie pig pillow pilot pine pink pipe plain plate plum
pocket poem pond pony pool poppy porch pot potato prince pump puppy purple puzzle queen quick
quiet quilt rabbit radio raft rain raven red reed ribbon rice ring river road robin rock roof
room root rope rose round ruby rug ruler sail salad salt sand scarf school sea seal seed shade
sheep shell ship shirt shoe shop silk silver sister sky sleep slow small smile smoke snail
snow soap sock soft song soup south spade spark spider spoon spring square squirrel stable
stamp star stone stool storm story stove straw street string strong sugar summer sun swan
sweet swing table tail tall tea teacher tent thread three thumb tiger tile tin toast toe
tomato tooth top torch towel tower town toy train tray tree truck trumpet tulip tunnel turtle
twig two uncle valley van velvet village violin voice wagon wall walnut warm watch water wave
wax well west whale wheat wheel whistle white wide wind window wing winter wise wolf wood wool
word work wren yard yarn year yellow young zebra zoo
"""

WORDS: tuple[str, ...] = tuple(TEXT.split())
