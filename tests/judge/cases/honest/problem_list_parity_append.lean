namespace Parity

def parity : List Bool → Bool
  | [] => false
  | b :: bs => b ^^ parity bs

theorem parity_append (xs ys : List Bool) :
    parity (xs ++ ys) = (parity xs ^^ parity ys) := by
  induction xs with
  | nil => simp [parity]
  | cons b bs ih => simp [parity, ih]

end Parity
