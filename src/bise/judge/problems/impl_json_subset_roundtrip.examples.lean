open JsonSubset

def same (text : List Char) : Bool := (parse text).map render = some text

#guard same ['n', 'u', 'l', 'l']
#guard same ['f', 'a', 'l', 's', 'e']
#guard same ['0']
#guard same ['4', '0']
#guard same ['"', '"']
#guard same ['"', 'a', '\\', '"', '\\', '\\', '"']
#guard same ['[', ']']
#guard same ['[', '1', ',', '[', 't', 'r', 'u', 'e', ']', ']']
#guard (parse []).isNone
#guard (parse ['0', '1']).isNone
#guard (parse ['n', 'u', 'l']).isNone
#guard (parse ['1', ' ']).isNone
#guard (parse ['[', '1', ',', ']']).isNone
#guard (parse ['"', 'a']).isNone
