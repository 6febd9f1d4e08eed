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

theorem parse_append (e : Expr) (depth : Nat) (rest : List Token)
    (h : (print e).length ≤ depth) : parse depth (print e ++ rest) = some (e, rest) := by
  induction e generalizing depth rest with
  | num n =>
    cases depth with
    | zero => simp [print] at h
    | succ d => simp [print, parse]
  | add a b iha ihb =>
    cases depth with
    | zero => simp [print] at h
    | succ d =>
      simp only [print, List.length_append, List.length_cons, List.length_nil] at h
      simp only [print, List.cons_append, List.append_assoc, List.nil_append, parse]
      rw [iha d _ (by omega)]
      simp only
      rw [ihb d _ (by omega)]
  | mul a b iha ihb =>
    cases depth with
    | zero => simp [print] at h
    | succ d =>
      simp only [print, List.length_append, List.length_cons, List.length_nil] at h
      simp only [print, List.cons_append, List.append_assoc, List.nil_append, parse]
      rw [iha d _ (by omega)]
      simp only
      rw [ihb d _ (by omega)]

theorem parse_sound (depth : Nat) (tokens rest : List Token) (e : Expr)
    (h : parse depth tokens = some (e, rest)) : tokens = print e ++ rest := by
  induction depth generalizing tokens rest e with
  | zero => simp [parse] at h
  | succ d ih =>
    unfold parse at h
    split at h
    · cases h
      rfl
    · rename_i same
      cases same
      split at h
      · rename_i first
        split at h
        · rename_i second
          cases h
          simp [print, ih _ _ _ first, ih _ _ _ second]
        · cases h
      · rename_i first
        split at h
        · rename_i second
          cases h
          simp [print, ih _ _ _ first, ih _ _ _ second]
        · cases h
      · cases h
    · cases h

theorem parse_print (e : Expr) : parseAll (print e) = some e := by
  have := parse_append e (print e).length [] (Nat.le_refl _)
  rw [List.append_nil] at this
  simp [parseAll, this]

theorem print_parse (tokens : List Token) (e : Expr) (h : parseAll tokens = some e) :
    print e = tokens := by
  unfold parseAll at h
  split at h
  · rename_i found
    cases h
    simpa using (parse_sound _ _ _ _ found).symm
  · cases h

end ParsePrint
