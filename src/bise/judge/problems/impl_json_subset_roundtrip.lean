namespace JsonSubset

inductive Json where
  | null : Json
  | bool : Bool → Json
  | num : Nat → Json
  | str : List Char → Json
  | arr : List Json → Json

def digit (d : Nat) : Char := Char.ofNat (48 + d)

def number (n : Nat) : List Char :=
  if n < 10 then [digit n] else number (n / 10) ++ [digit (n % 10)]

def escape : List Char → List Char
  | [] => []
  | c :: cs => if c = '"' ∨ c = '\\' then '\\' :: c :: escape cs else c :: escape cs

mutual

def render : Json → List Char
  | .null => ['n', 'u', 'l', 'l']
  | .bool true => ['t', 'r', 'u', 'e']
  | .bool false => ['f', 'a', 'l', 's', 'e']
  | .num n => number n
  | .str s => '"' :: (escape s ++ ['"'])
  | .arr items => '[' :: renderItems items

def renderItems : List Json → List Char
  | [] => [']']
  | [j] => render j ++ [']']
  | j :: k :: items => render j ++ ',' :: renderItems (k :: items)

end

/-- Read what `render` writes, and nothing else. -/
def parse (text : List Char) : Option Json := sorry

theorem parse_render (j : Json) : parse (render j) = some j := sorry

theorem render_parse (text : List Char) (j : Json) (h : parse text = some j) :
    render j = text := sorry

end JsonSubset
