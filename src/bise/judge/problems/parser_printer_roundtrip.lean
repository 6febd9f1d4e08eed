namespace ParsePrint

inductive Token where
  | num : Nat → Token
  | plus : Token
  | times : Token
  | opening : Token
  | closing : Token

inductive Expr where
  | num : Nat → Expr
  | add : Expr → Expr → Expr
  | mul : Expr → Expr → Expr

def print : Expr → List Token
  | .num n => [.num n]
  | .add a b => .opening :: print a ++ .plus :: print b ++ [.closing]
  | .mul a b => .opening :: print a ++ .times :: print b ++ [.closing]

/-- Parse one expression and return it with what follows; the number bounds the depth. -/
def parse : Nat → List Token → Option (Expr × List Token)
  | _ + 1, .num n :: rest => some (.num n, rest)
  | depth + 1, .opening :: rest =>
    match parse depth rest with
    | some (a, .plus :: rest) =>
      match parse depth rest with
      | some (b, .closing :: rest) => some (.add a b, rest)
      | _ => none
    | some (a, .times :: rest) =>
      match parse depth rest with
      | some (b, .closing :: rest) => some (.mul a b, rest)
      | _ => none
    | _ => none
  | _, _ => none

def parseAll (tokens : List Token) : Option Expr :=
  match parse tokens.length tokens with
  | some (e, []) => some e
  | _ => none

theorem parse_print (e : Expr) : parseAll (print e) = some e := sorry

theorem print_parse (tokens : List Token) (e : Expr) (h : parseAll tokens = some e) :
    print e = tokens := sorry

end ParsePrint
