structure Parser (α : Type) where
  run : List Nat → Option (α × List Nat)

def Parser.bind {α β : Type} (p : Parser α) (f : α → Parser β) : Parser β :=
  ⟨fun s => match p.run s with
    | none => none
    | some (a, rest) => (f a).run rest⟩

instance : Monad Parser where
  pure a := ⟨fun s => some (a, s)⟩
  bind := Parser.bind

theorem bind_run {α β : Type} (p : Parser α) (f : α → Parser β) (s : List Nat) :
    (p >>= f).run s = (p.run s).bind (fun r => (f r.1).run r.2) := by
  simp only [Bind.bind, Parser.bind]
  cases p.run s <;> rfl

theorem pure_run {α : Type} (a : α) (s : List Nat) : (pure a : Parser α).run s = some (a, s) := rfl
