inductive Step : Nat → Nat → Prop where
  | half (n : Nat) : Step (2 * n) n
  | up (n : Nat) : Step (2 * n + 1) (6 * n + 4)

inductive Steps : Nat → Nat → Prop where
  | refl (n : Nat) : Steps n n
  | next {a b c : Nat} : Step a b → Steps b c → Steps a c

theorem trans {a b c : Nat} (h : Steps a b) (k : Steps b c) : Steps a c := by
  induction h with
  | refl => exact k
  | next s _ ih => exact .next s (ih k)

theorem six_to_three : Steps 6 3 := .next (.half 3) (.refl 3)
