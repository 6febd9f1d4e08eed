mutual
def even : Nat → Bool
  | 0 => true
  | n + 1 => odd n
def odd : Nat → Bool
  | 0 => false
  | n + 1 => even n
end

theorem even_double (n : Nat) : even (n + n) = true := sorry

theorem odd_double (n : Nat) : odd (n + n) = false := sorry
