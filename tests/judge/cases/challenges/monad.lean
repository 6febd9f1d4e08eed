structure Parser (α : Type) where
  run : List Nat → Option (α × List Nat)

instance : Monad Parser := sorry

theorem bind_run {α β : Type} (p : Parser α) (f : α → Parser β) (s : List Nat) :
    (p >>= f).run s = (p.run s).bind (fun r => (f r.1).run r.2) := sorry

theorem pure_run {α : Type} (a : α) (s : List Nat) : (pure a : Parser α).run s = some (a, s) := sorry
