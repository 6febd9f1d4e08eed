def Sorted : List Nat → Prop
  | [] => True
  | [_] => True
  | a :: b :: rest => a ≤ b ∧ Sorted (b :: rest)

def isort (xs : List Nat) : List Nat := sorry

theorem isort_sorted (xs : List Nat) : Sorted (isort xs) := sorry

theorem isort_length (xs : List Nat) : (isort xs).length = xs.length := sorry
