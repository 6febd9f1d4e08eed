namespace ProdSwap

def swap {α β : Type} (p : α × β) : β × α := (p.2, p.1)

def both {α β γ δ : Type} (f : α → γ) (g : β → δ) (p : α × β) : γ × δ := (f p.1, g p.2)

theorem swap_swap {α β : Type} (p : α × β) : swap (swap p) = p := rfl

theorem swap_both {α β γ δ : Type} (f : α → γ) (g : β → δ) (p : α × β) :
    swap (both f g p) = both g f (swap p) := rfl

theorem swap_injective {α β : Type} (p q : α × β) (h : swap p = swap q) : p = q := by
  have := congrArg swap h
  simpa [swap_swap] using this

end ProdSwap
