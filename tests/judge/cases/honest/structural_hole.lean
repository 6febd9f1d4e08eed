def push (acc : List Nat) : List Nat → List Nat
  | [] => acc
  | x :: xs => push (x :: acc) xs

def turn (xs : List Nat) : List Nat := push [] xs

theorem push_eq (xs acc : List Nat) : push acc xs = xs.reverse ++ acc := by
  induction xs generalizing acc with
  | nil => rfl
  | cons x xs ih => simp [push, ih]

theorem turn_length (xs : List Nat) : (turn xs).length = xs.length := by
  simp [turn, push_eq]

theorem turn_turn (xs : List Nat) : turn (turn xs) = xs := by
  simp [turn, push_eq]
