namespace FoldFusion

def foldr {α β : Type} (f : α → β → β) (e : β) : List α → β
  | [] => e
  | x :: xs => f x (foldr f e xs)

def foldl {α β : Type} (f : β → α → β) (e : β) : List α → β
  | [] => e
  | x :: xs => foldl f (f e x) xs

theorem fusion {α β γ : Type} (f : α → β → β) (g : α → γ → γ) (h : β → γ) (e : β)
    (hfg : ∀ x y, h (f x y) = g x (h y)) (xs : List α) :
    h (foldr f e xs) = foldr g (h e) xs := sorry

theorem banana_split {α β γ : Type} (f : α → β → β) (g : α → γ → γ) (b : β) (c : γ)
    (xs : List α) :
    (foldr f b xs, foldr g c xs) = foldr (fun x p => (f x p.1, g x p.2)) (b, c) xs := sorry

theorem foldl_eq_foldr {α : Type} (op : α → α → α) (e : α)
    (assoc : ∀ x y z, op (op x y) z = op x (op y z)) (left : ∀ x, op e x = x)
    (right : ∀ x, op x e = x) (xs : List α) : foldl op e xs = foldr op e xs := sorry

theorem foldl_foldr_reverse {α β : Type} (f : β → α → β) (e : β) (xs : List α) :
    foldl f e xs = foldr (fun x acc => f acc x) e xs.reverse := sorry

end FoldFusion
