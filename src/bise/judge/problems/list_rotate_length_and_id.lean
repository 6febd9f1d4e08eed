namespace Rotate

def rotate {α : Type} : Nat → List α → List α
  | 0, xs => xs
  | _ + 1, [] => []
  | n + 1, x :: xs => rotate n (xs ++ [x])

theorem length_rotate {α : Type} (n : Nat) (xs : List α) :
    (rotate n xs).length = xs.length := sorry

theorem rotate_rotate {α : Type} (m n : Nat) (xs : List α) :
    rotate m (rotate n xs) = rotate (n + m) xs := sorry

theorem rotate_length {α : Type} (xs : List α) : rotate xs.length xs = xs := sorry

theorem rotate_mod {α : Type} (n : Nat) (xs : List α) :
    rotate (n % xs.length) xs = rotate n xs := sorry

end Rotate
